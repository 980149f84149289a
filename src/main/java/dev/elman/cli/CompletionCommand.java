package dev.elman.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import picocli.AutoComplete;
import picocli.CommandLine;
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
    /** What picocli does with names of files: bash expands them, and so runs commands that stand in them. */
    private static final String EXPANDED =
            "COMPREPLY=( $(compgen -W \"${commands// /$'\\n'}${IFS}${positionals}\" -- \"${curr_word}\") )";

    private static final String EXPANDED_FOR_OPTION = "COMPREPLY=( $( compgen -f -- \"${curr_word}\" ) ) # files";

    /** Offers each line of what follows as it is. */
    private static final String OFFER =
            "local file; while IFS= read -r file; do [[ -z ${file} ]] || COMPREPLY+=(\"${file}\"); done <<< ";

    @Spec
    private CommandSpec spec;

    private final Terminal terminal;

    CompletionCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        CommandSpec root = spec.root();
        List<CommandSpec> commands = Stream.concat(
                        Stream.of(root), root.subcommands().values().stream().map(CommandLine::getCommandSpec))
                .toList();
        long fileOptions = commands.stream()
                .flatMap(command -> command.options().stream())
                .filter(option -> option.type() == Path.class)
                .count();
        String script = written(root);
        script = replaced(
                script,
                EXPANDED,
                commands.size(),
                "COMPREPLY=( $(compgen -W \"${commands// /$'\\n'}\" -- \"${curr_word}\") )\n    " + OFFER
                        + "\"${positionals}\"");
        script = replaced(
                script,
                EXPANDED_FOR_OPTION,
                fileOptions,
                "COMPREPLY=()\n      " + OFFER + "\"$(compgen -f -- \"${curr_word}\")\"");
        terminal.out().print(script);
        return 0;
    }

    /** By picocli, which numbers its functions in the locale's digits; in bash a name has none but ours. */
    private static String written(CommandSpec root) {
        Locale before = Locale.getDefault(Locale.Category.FORMAT);
        Locale.setDefault(Locale.Category.FORMAT, Locale.ROOT);
        try {
            return AutoComplete.bash(root.name(), root.commandLine());
        } finally {
            Locale.setDefault(Locale.Category.FORMAT, before);
        }
    }

    /** A picocli that writes this otherwise may write what is not safe. */
    private static String replaced(String script, String code, long times, String by) {
        String[] around = script.split(Pattern.quote(code), -1);
        if (around.length != times + 1) {
            throw new IllegalStateException(
                    "picocli's script has " + (around.length - 1) + " times, not " + times + " times, " + code);
        }
        return String.join(by, around);
    }
}
