package dev.elman.cli;

import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Teaches the shell our commands and options. */
@Command(
        name = "completion",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        header = "Print a script that lets bash and zsh complete commands, options and files.",
        description = {
            "",
            "To be read by ~/.bashrc or ~/.zshrc. It completes the command elman; where there is only the jar, first make"
                    + " it one:",
            "",
            "  elman() { java -jar /path/to/elman.jar \"$@\"; }"
        },
        footerHeading = "%nExample:%n",
        footer = {"  elman completion > ~/.elman-completion", "  echo 'source ~/.elman-completion' >> ~/.bashrc"},
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {Failures.CODE_0, Failures.CODE_2, Failures.CODE_3})
final class CompletionCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    private final Terminal terminal;

    CompletionCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        CommandSpec root = spec.root();
        terminal.out().print(AutoComplete.bash(root.name(), root.commandLine()));
        terminal.out().flush();
        return 0;
    }
}
