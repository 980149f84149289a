package dev.elman.cli;

import dev.elman.Backends;
import dev.elman.backend.Backend;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Trains a network on real words, and says how good it is beside what does without one. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        header = "Which language is this name? Train on the JDK's own data, in less than a minute.",
        footerHeading = "%nExample:%n",
        footer = {"  elman demo", "  elman predict target/demo/languages.safetensors \"new zealand\""},
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {Failures.CODE_0, Failures.CODE_1, Failures.CODE_2, Failures.CODE_3})
final class DemoCommand implements Callable<Integer> {
    @Option(names = "--no-pictures", description = "Write no PNG files (for a Java without java.desktop or fonts).")
    private boolean noPictures;

    @Option(
            names = "--epochs",
            paramLabel = "N",
            description = "How often the names are read (default: ${DEFAULT-VALUE}).")
    private int epochs = 20;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Decides the first weights and the order of the rows (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(
            names = {"-o", "--out"},
            paramLabel = "FOLDER",
            description = "Where model and pictures go (default: ${DEFAULT-VALUE}).")
    private Path out = Path.of("target", "demo");

    @Mixin
    private BackendOption backends;

    private final Terminal terminal;
    private final Size size;

    DemoCommand(Terminal terminal) {
        this(terminal, Size.FULL);
    }

    DemoCommand(Terminal terminal, Size size) {
        this.terminal = terminal;
        this.size = size;
    }

    /**
     * How large a demo is.
     *
     * @param rows of data at most
     * @param hidden nodes in each direction
     */
    record Size(int rows, int hidden) {
        static final Size FULL = new Size(Integer.MAX_VALUE, 128);
    }

    @Override
    public Integer call() throws IOException {
        if (epochs < 1) throw new UserException("--epochs must be at least 1, but is " + epochs);
        OutputFiles.makeFolder(out);
        OutputFiles.requireWritable(out.resolve(Demo.MODEL));
        Backends.Choice choice = backends.choose();
        try (Backend backend = choice.backend()) {
            return new Demo(terminal, backend, size, epochs, seed).run(choice.passedOver(), out, !noPictures);
        }
    }
}
