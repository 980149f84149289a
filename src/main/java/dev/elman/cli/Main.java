package dev.elman.cli;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** The front door of the command line. */
@Command(
        name = "elman",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        header = "Batched Elman (SimpleRNN) networks: train, predict, generate, check.",
        synopsisSubcommandLabel = "COMMAND",
        footerHeading = "%nExample:%n",
        footer = {"  elman demo", "", "With the jar alone: java -jar elman.jar demo"},
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {Failures.CODE_0, Failures.CODE_1, Failures.CODE_2, Failures.CODE_3})
public final class Main implements Callable<Integer> {
    /** The system property by which stack traces and the libraries' logs are shown. */
    static final String DEBUG = "elman.debug";

    @Option(
            names = "--stacktrace",
            scope = ScopeType.INHERIT,
            description = "Show where an error came from (as does -Delman.debug=true).")
    private boolean stackTrace;

    @Spec
    private CommandSpec spec;

    private Main() {}

    /** Runs the command that {@code args} name and exits with its code. */
    public static void main(String[] args) {
        // Pictures are written, never shown; without this, a machine that has no screen refuses to draw.
        if (System.getProperty("java.awt.headless") == null) System.setProperty("java.awt.headless", "true");
        Silence.keep();
        System.exit(run(Terminal.system(), args));
    }

    /** The same without leaving the JVM: returns the exit code. */
    static int run(Terminal terminal, String... args) {
        int code = execute(terminal, args);
        terminal.err().flush();
        // A print writer does not throw: without this, what a full disk lost would look like success.
        if (!terminal.out().checkError()) return code;
        terminal.err().println("elman: the output is not complete: its disk is full, or nobody reads it any more.");
        return code == 0 ? Failures.BAD_INPUT : code;
    }

    private static int execute(Terminal terminal, String... args) {
        String debug = System.getProperty(DEBUG, "");
        if (!debug.matches("(?i)(true|false)?")) {
            terminal.err().println("elman: " + DEBUG + " must be true or false, but is \"" + debug + "\".");
            return Failures.BAD_INPUT;
        }
        try {
            return commandLine(terminal).execute(args);
        } catch (OutOfMemoryError e) {
            terminal.err()
                    .println("elman: not enough memory (" + e.getMessage()
                            + "). Give Java more, as in java -Xmx4g -jar elman.jar, or take smaller sizes.");
            return Failures.BAD_INPUT;
        }
    }

    static CommandLine commandLine(Terminal terminal) {
        return prepared(
                terminal,
                new CommandLine(new Main())
                        .addSubcommand(new DemoCommand(terminal))
                        .addSubcommand(new TrainCommand(terminal))
                        .addSubcommand(new PredictCommand(terminal))
                        .addSubcommand(new GenerateCommand(terminal))
                        .addSubcommand(new EvaluateCommand(terminal))
                        .addSubcommand(new ConvertCommand(terminal))
                        .addSubcommand(new VerifyCommand(terminal))
                        .addSubcommand(new BenchCommand(terminal))
                        .addSubcommand(new DoctorCommand(terminal))
                        .addSubcommand(new CompletionCommand(terminal))
                        .addSubcommand(new HelpCommand(terminal)));
    }

    /** The command line with this terminal and our way to fail. */
    static CommandLine prepared(Terminal terminal, CommandLine commandLine) {
        Failures failures = new Failures();
        return commandLine
                .setOut(terminal.out())
                .setErr(terminal.err())
                .setUsageHelpWidth(100)
                .setUsageHelpAutoWidth(true) // where the terminal says how wide it is
                .setCaseInsensitiveEnumValuesAllowed(true)
                // A text may begin with @; picocli would read arguments from a file of that name.
                .setExpandAtFiles(false)
                .registerConverter(Path.class, Main::path)
                .setParameterExceptionHandler(failures)
                .setExecutionExceptionHandler(failures);
    }

    /** A file's name, which Java reads in the locale's encoding, as it does texts. */
    private static Path path(String name) {
        // To Java it would be the current folder.
        if (name.isEmpty()) throw new TypeConversionException("a file's name is empty");
        try {
            return Path.of(name);
        } catch (InvalidPathException e) {
            throw new TypeConversionException("'" + name + "' is no file's name here: " + e.getReason()
                    + (TextFile.isLost(name) ? "; set LC_ALL=C.UTF-8" : ""));
        }
    }

    boolean wantsStackTrace() {
        return stackTrace || Boolean.getBoolean(DEBUG);
    }

    /** Without a command there is nothing to do but to say which there are. */
    @Override
    public Integer call() {
        spec.commandLine().usage(spec.commandLine().getErr());
        return Failures.BAD_INPUT;
    }

    /** The version that the jar's manifest states. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {
                "elman " + number(),
                "Java " + Runtime.version() + ", " + System.getProperty("os.name") + " " + System.getProperty("os.arch")
            };
        }

        /** As in 0.1.0; "(not from a jar)" where classes are loaded from a folder. */
        static String number() {
            String version = Main.class.getPackage().getImplementationVersion();
            return version == null ? "(not from a jar)" : version;
        }
    }
}
