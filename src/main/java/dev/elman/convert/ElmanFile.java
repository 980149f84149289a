package dev.elman.convert;

import dev.elman.backend.Backend;
import dev.elman.io.ModelFileException;
import dev.elman.io.SafeTensors;
import dev.elman.train.ModelFile;
import dev.elman.train.SimpleRnnClassifier;
import dev.elman.train.TextClassifier;
import dev.elman.train.TextGenerator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** elman's own model files, as networks. What else they hold, labels and a vocabulary, a network does not have. */
public final class ElmanFile {
    private static final String FORMAT = "elman";

    private ElmanFile() {}

    /**
     * Reads the network of a {@link TextClassifier}, a {@link TextGenerator} or a {@link SimpleRnnClassifier}.
     *
     * @param backend loads the model; the reference backend does it for any
     * @throws ModelFileException if the file is no such model
     */
    public static Imported read(Backend backend, Path file) throws IOException {
        Network network = network(backend, file);
        return new Imported(network, report(network, left(file)), file, "layer " + Network.RNN);
    }

    /** What a text model has beside its network. */
    private static List<String> left(Path file) throws IOException {
        Set<String> keys = SafeTensors.metadata(file).keySet();
        List<String> left = new ArrayList<>();
        if (keys.contains(ModelFile.LABELS)) left.add("labels");
        if (keys.contains(ModelFile.TOKENIZER)) left.add("a vocabulary");
        if (left.isEmpty()) return List.of();
        return List.of("What " + file + " holds beside its network, " + String.join(" and ", left)
                + ", comes back with `elman convert --like` that file.");
    }

    private static Network network(Backend backend, Path file) throws IOException {
        return switch (ModelFile.kind(file).orElse("")) {
            case TextClassifier.KIND -> {
                try (TextClassifier model = TextClassifier.load(backend, file)) {
                    yield Network.of(model.model());
                }
            }
            case TextGenerator.KIND -> {
                try (TextGenerator model = TextGenerator.load(backend, file)) {
                    yield Network.of(model.model());
                }
            }
            default -> {
                try (SimpleRnnClassifier model = SimpleRnnClassifier.load(backend, file)) {
                    yield Network.of(model);
                }
            }
        };
    }

    /**
     * Writes a {@link SimpleRnnClassifier} with these weights.
     *
     * @throws ModelFileException when the network is no classifier, naming the file and the layer it came from; or if writing
     *     fails
     */
    public static Report write(Backend backend, Imported read, Path file) throws IOException {
        try (SimpleRnnClassifier model = read.classifier(backend)) {
            model.save(file);
        }
        return report(read.network(), List.of());
    }

    /**
     * Writes a copy of a model, text models among them, with other weights.
     *
     * @param like the model that gives configuration, labels and vocabulary
     * @throws IllegalArgumentException when its weights have other names or shapes
     * @throws ModelFileException if it is no model, or writing fails
     */
    public static Report writeLike(Backend backend, Path like, Network network, Path file) throws IOException {
        switch (ModelFile.kind(like).orElse("")) {
            case TextClassifier.KIND -> {
                try (TextClassifier model = TextClassifier.load(backend, like)) {
                    network.copyTo(model.model());
                    model.save(file);
                }
            }
            case TextGenerator.KIND -> {
                try (TextGenerator model = TextGenerator.load(backend, like)) {
                    network.copyTo(model.model());
                    model.save(file);
                }
            }
            default -> {
                try (SimpleRnnClassifier model = SimpleRnnClassifier.load(backend, like)) {
                    network.copyTo(model);
                    model.save(file);
                }
            }
        }
        return report(network, List.of("Configuration, labels and vocabulary are those of " + like + "."));
    }

    private static Report report(Network network, List<String> notes) {
        return new Report(FORMAT, Report.rows(network), notes);
    }
}
