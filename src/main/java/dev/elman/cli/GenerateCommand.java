package dev.elman.cli;

import dev.elman.backend.Backend;
import dev.elman.train.Sampling;
import dev.elman.train.TextGenerator;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Lets a trained language model write. */
@Command(
        name = "generate",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        header = "Let a trained language model write.",
        footerHeading = "%nExample:%n",
        footer = {
            "  elman generate novel.safetensors --prompt \"The \" --temperature 0.7 --top-k 20",
            "  elman generate villages.safetensors --one-line --count 10"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {Failures.CODE_0, Failures.CODE_2, Failures.CODE_3})
final class GenerateCommand implements Callable<Integer> {
    /** A little below 1: what a small model thinks improbable is often wrong. */
    static final double TEMPERATURE = 0.7;

    @Parameters(paramLabel = "MODEL", description = "A file that train --task generate wrote.")
    private Path file;

    @Option(names = "--prompt", paramLabel = "TEXT", description = "How each text begins (default: as a line begins).")
    private String prompt = "";

    @Option(
            names = "--length",
            paramLabel = "N",
            description = "Characters to draw; with --one-line, at most (default: ${DEFAULT-VALUE}).")
    private int length = 500;

    @Option(names = "--one-line", description = "End a text where its first line ends.")
    private boolean oneLine;

    @Option(names = "--count", paramLabel = "N", description = "How many texts (default: ${DEFAULT-VALUE}).")
    private int count = 1;

    @Option(
            names = "--temperature",
            paramLabel = "NUMBER",
            description = "Towards 0 what is most probable, 1 what the model thinks, above it what is improbable"
                    + " (default: ${DEFAULT-VALUE}).")
    private double temperature = TEMPERATURE;

    @Option(
            names = "--top-k",
            paramLabel = "N",
            description = "Draw from the N most probable characters only; 0 for all (default: ${DEFAULT-VALUE}).")
    private int topK;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Same seed, same text; the next texts have the next seeds (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    @Mixin
    private BackendOption backends;

    private final Terminal terminal;

    GenerateCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    /** What {@code --json} prints. */
    record Samples(String model, String backend, List<String> samples) {}

    @Override
    public Integer call() throws IOException {
        atLeastOne("--length", length);
        atLeastOne("--count", count);
        Sampling first = new Sampling(temperature, topK, seed);
        TextFile.requireReadable(prompt);
        SavedModel.require(TextTask.Kind.generate, file);
        try (Backend backend = backends.choose().backend();
                TextGenerator model = TextGenerator.load(backend, file)) {
            UnknownCharacters.warn(
                    terminal, "generate", model.unknownCharacters(prompt).codePoints(), "goes on anyway");
            List<String> samples = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                Sampling sampling = new Sampling(temperature, topK, first.seed() + i);
                if (json) samples.add(generate(model, sampling, drawn -> {}));
                else print(model, sampling);
            }
            if (json) Json.print(terminal.out(), new Samples(file.toString(), backend.name(), samples));
        } catch (CancellationException e) {
            // Whoever reads the texts has gone, which Main.run says.
        }
        return 0;
    }

    private String generate(TextGenerator model, Sampling sampling, Consumer<String> each) {
        return oneLine
                ? model.generateLine(prompt, length, sampling, each)
                : model.generateText(prompt, length, sampling, each);
    }

    /**
     * Character by character, as they are drawn.
     *
     * @throws CancellationException when they can no longer be printed
     */
    private void print(TextGenerator model, Sampling sampling) {
        PrintWriter out = terminal.out();
        if (count > 1 && !oneLine) out.println("--- seed " + sampling.seed() + " ---");
        Consumer<String> screen = text -> {
            out.print(text.replace("\n", System.lineSeparator()));
            if (out.checkError()) throw new CancellationException(); // it flushes, too
        };
        screen.accept(prompt);
        String whole = generate(model, sampling, screen);
        // An empty text has no lines, but is one of those that were asked for.
        if (!whole.endsWith("\n")) screen.accept("\n");
    }

    private static void atLeastOne(String name, int value) {
        if (value < 1) throw new UserException(name + " must be at least 1, but is " + value);
    }
}
