package dev.elman.cli;

import dev.elman.Backends;
import dev.elman.backend.Activation;
import dev.elman.backend.Backend;
import dev.elman.convert.ElmanFile;
import dev.elman.convert.Hints;
import dev.elman.convert.Imported;
import dev.elman.convert.KerasFile;
import dev.elman.convert.Network;
import dev.elman.convert.NumpyFile;
import dev.elman.convert.OnnxFile;
import dev.elman.convert.Report;
import dev.elman.convert.Report.How;
import dev.elman.convert.TorchFile;
import dev.elman.io.SafeTensors;
import dev.elman.rnn.Merge;
import dev.elman.rnn.Output;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;

/** Turns one library's model file into another's. */
@Command(
        name = "convert",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        header = "Turn a model file of PyTorch, Keras, NumPy or elman into another's.",
        description = {
            "",
            "Formats go by the files' names. Read: .safetensors (elman's or PyTorch's), .keras, .weights.h5, .h5, .npz."
                    + " Written: .safetensors (PyTorch's where IN is elman's, else elman's), .weights.h5, .npz, .onnx."
                    + " What is mapped is printed; what cannot be is refused, naming the layer."
        },
        footerHeading = "%nExample:%n",
        footer = {
            "  elman convert imdb.keras imdb.safetensors",
            "  elman convert names.safetensors names.onnx",
            "  elman convert tuned.npz names2.safetensors --like names.safetensors"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {Failures.CODE_0, Failures.CODE_2, Failures.CODE_3})
final class ConvertCommand implements Callable<Integer> {
    /** Options that say what a file may not say of the recurrent layer. */
    private static final List<String> HABITS =
            List.of("--activation", "--output", "--merge", "--go-backwards", "--zero-output-for-mask", "--stateful");

    private static final List<String> NAMES = List.of("--embedding", "--dense");

    @Parameters(index = "0", paramLabel = "IN", description = "A model file.")
    private Path in;

    @Parameters(index = "1", paramLabel = "OUT", description = "The file to write.")
    private Path out;

    @Option(
            names = "--like",
            paramLabel = "MODEL",
            description =
                    "A model of elman's with the same layers: OUT becomes a copy of it, labels and vocabulary too,"
                            + " with the weights of IN.")
    private Path like;

    @Option(
            names = "--activation",
            paramLabel = "ACTIVATION",
            description = "tanh, relu or linear, where IN does not say it (default: tanh).")
    private Activation activation;

    @Option(
            names = "--output",
            paramLabel = "OUTPUT",
            description =
                    "What the recurrent layer gives, where IN does not say it: sequence, last, max or mean (default:"
                            + " last before a dense layer, else sequence).")
    private Output output;

    @Option(
            names = "--merge",
            paramLabel = "MERGE",
            description = "How two directions become one, where IN does not say it: concat, sum, mul or ave (default:"
                    + " concat).")
    private Merge merge;

    @Option(names = "--go-backwards", description = "One direction reads from the end; for IN that does not say it.")
    private Boolean goBackwards;

    @Option(
            names = "--zero-output-for-mask",
            description = "The sequence is 0 at masked steps, not repeated; for IN that does not say it.")
    private Boolean zeroOutputForMask;

    @Option(names = "--stateful", description = "States are kept from call to call; for IN that does not say it.")
    private Boolean stateful;

    @Option(
            names = "--embedding",
            paramLabel = "NAME",
            description = "The embedding's name in a file of PyTorch's, if it is not a usual one.")
    private String embedding;

    @Option(
            names = "--dense",
            paramLabel = "NAME",
            description = "The dense layer's name in a file of PyTorch's, if it is not a usual one.")
    private String dense;

    @Option(names = "--opset", paramLabel = "N", description = "Of a .onnx, 14 to 22 (default: ${DEFAULT-VALUE}).")
    private int opset = OnnxFile.USUAL;

    @Spec
    private CommandSpec spec;

    private final Terminal terminal;

    ConvertCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        ModelFormat from = ModelFormat.ofInput(in);
        ModelFormat to = ModelFormat.ofOutput(out, from == ModelFormat.ELMAN && like == null);
        if (like != null && to != ModelFormat.ELMAN) {
            throw new UserException("--like makes a model of elman's; name OUT *.safetensors, not " + out);
        }
        requireEffect(from, to);
        OutputFiles.requireWritable(out);
        requireAnother(in, "IN");
        if (like != null) requireAnother(like, "--like");
        // Weights pass through a model of elman's on their way into or out of its files; the backend in double loses
        // none.
        try (Backend backend = Backends.open("reference")) {
            Imported read = read(backend, from);
            Report written = write(backend, to, from, read);
            print(read, written);
        }
        return 0;
    }

    /** An option that changes nothing was meant to change something. */
    private void requireEffect(ModelFormat from, ModelFormat to) {
        if (from == ModelFormat.ELMAN) refuse(HABITS, "IN is a model of elman's, which says it itself");
        if (like != null) refuse(HABITS, "the model that --like names says it");
        if (from != ModelFormat.TORCH) refuse(NAMES, "it is for an IN of PyTorch's, whose names are free");
        if (to != ModelFormat.ONNX) refuse(List.of("--opset"), "it is for an OUT named *.onnx");
    }

    private void refuse(List<String> options, String reason) {
        ParseResult given = spec.commandLine().getParseResult();
        for (String option : options) {
            if (given.hasMatchedOption(option)) throw new UserException("leave out " + option + ": " + reason);
        }
    }

    /** What OUT gets may be less than what stands in a file; so no file is replaced by what was made of it. */
    private void requireAnother(Path file, String role) throws IOException {
        if (Files.exists(out) && Files.exists(file) && Files.isSameFile(file, out)) {
            throw new UserException(out + ": is the file of " + role + "; name another OUT");
        }
    }

    private Imported read(Backend backend, ModelFormat from) throws IOException {
        return switch (from) {
            case ELMAN -> ElmanFile.read(backend, in);
            case TORCH -> TorchFile.read(in, hints(backend));
            case KERAS -> KerasFile.read(in, hints(backend));
            case NUMPY -> NumpyFile.read(in, hints(backend));
            case ONNX -> throw new IllegalStateException("ONNX is not read");
        };
    }

    /** What was said, and what the model says that OUT is to be like. */
    private Hints hints(Backend backend) throws IOException {
        if (like == null) {
            return new Hints(
                    activation, output, merge, goBackwards, zeroOutputForMask, stateful, false, embedding, dense);
        }
        // Whether states are kept and what stands at masked steps is the model's own affair, not of its weights.
        return Hints.of(ElmanFile.read(backend, like).network().rnn())
                .withZeroOutputForMask(null)
                .withStateful(null)
                .withEmbedding(embedding)
                .withDense(dense);
    }

    private Report write(Backend backend, ModelFormat to, ModelFormat from, Imported read) throws IOException {
        Network network = read.network();
        return switch (to) {
            case ELMAN ->
                like == null ? ElmanFile.write(backend, read, out) : ElmanFile.writeLike(backend, like, network, out);
            case TORCH -> TorchFile.write(network, out);
            case KERAS -> KerasFile.write(network, out);
            case NUMPY -> NumpyFile.write(network, out);
            case ONNX -> OnnxFile.write(network, metadata(from), opset, out);
        };
    }

    /** Labels and vocabulary go along into a graph. */
    private Map<String, String> metadata(ModelFormat from) throws IOException {
        return from == ModelFormat.ELMAN ? SafeTensors.metadata(in) : Map.of();
    }

    private void print(Imported read, Report written) {
        Table table = new Table(0, 0);
        for (String weight : read.network().weights().keySet()) {
            List<Report.Row> sources = rows(read.report(), weight);
            List<Report.Row> targets = rows(written, weight);
            table.row(
                    names(sources, " + "),
                    shape(sources),
                    "->",
                    names(targets, ", "),
                    shape(targets),
                    how(sources, targets));
        }
        terminal.out().println(in + " (" + read.report().format() + ") -> " + out + " (" + written.format() + ")");
        table.lines("  ").forEach(terminal.out()::println);
        // What was taken where IN says nothing is not in a copy of a model, which says it itself.
        if (like == null) read.report().unsaid().forEach(terminal.out()::println);
        read.report().notes().forEach(terminal.out()::println);
        written.notes().forEach(terminal.out()::println);
    }

    private static List<Report.Row> rows(Report report, String weight) {
        return report.rows().stream().filter(row -> row.weight().equals(weight)).toList();
    }

    private static String names(List<Report.Row> rows, String separator) {
        if (rows.isEmpty()) return "(zeros)";
        return rows.stream()
                .map(row -> row.array() + (row.how() == How.ZEROS ? " (zeros)" : ""))
                .collect(Collectors.joining(separator));
    }

    private static String shape(List<Report.Row> rows) {
        return rows.isEmpty() ? "" : rows.get(0).shape();
    }

    /** Transposed twice is as it was; of zeros the names tell. */
    private static String how(List<Report.Row> sources, List<Report.Row> targets) {
        Set<How> all = EnumSet.noneOf(How.class);
        sources.forEach(row -> all.add(row.how()));
        targets.forEach(row -> {
            if (!all.add(row.how())) all.remove(row.how());
        });
        all.removeAll(EnumSet.of(How.COPIED, How.ZEROS));
        return all.stream()
                .map(how -> how.name().toLowerCase(Locale.ROOT).replace('_', ' '))
                .collect(Collectors.joining(", "));
    }
}
