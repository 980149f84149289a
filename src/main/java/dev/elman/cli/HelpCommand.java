package dev.elman.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The help that {@code --help} gives, for those who ask for it by name. */
@Command(
        name = "help",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        header = "Show what a command does, or which there are.",
        footerHeading = "%nExample:%n",
        footer = "  elman help train",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {Failures.CODE_0, Failures.CODE_2, Failures.CODE_3})
final class HelpCommand implements Callable<Integer> {
    @Parameters(arity = "0..1", paramLabel = "COMMAND", description = "One of those that elman help lists.")
    private String command;

    @Spec
    private CommandSpec spec;

    private final Terminal terminal;

    HelpCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        CommandLine all = spec.root().commandLine();
        CommandLine asked = command == null ? all : all.getSubcommands().get(command);
        if (asked == null) {
            throw new UserException("there is no command \"" + command + "\"; there are "
                    + String.join(", ", all.getSubcommands().keySet()));
        }
        asked.usage(terminal.out());
        return 0;
    }
}
