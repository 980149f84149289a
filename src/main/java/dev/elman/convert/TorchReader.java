package dev.elman.convert;

import dev.elman.backend.Activation;
import dev.elman.io.ModelFileException;
import dev.elman.io.NdArray;
import dev.elman.io.SafeTensors;
import dev.elman.rnn.Merge;
import dev.elman.rnn.Output;
import dev.elman.rnn.SimpleRnnConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Finds a network among the names of a state_dict. */
final class TorchReader {
    private static final Pattern RNN_ARRAY =
            Pattern.compile("(|.*\\.)(?:weight|bias)_(?:ih|hh|hr)_l\\d{1,4}(?:_reverse)?");
    private static final Set<String> EMBEDDINGS = Set.of(
            "embedding",
            "embeddings",
            "embed",
            "emb",
            "token_embedding",
            "word_embedding",
            "word_embeddings",
            "encoder");
    private static final Set<String> DENSES = Set.of(
            "fc", "linear", "dense", "head", "out", "output", "output_layer", "fc_out", "h2o", "decoder", "classifier");
    private static final Map<Integer, String> GATED = Map.of(3, "nn.GRU", 4, "nn.LSTM");
    /** What nn.RNN always is. What it gives at padded steps, 0, is its packed sequences' doing and no layer's. */
    private static final Hints NN_RNN = Hints.NONE.withGoBackwards(false).withStateful(false);

    private final Path file;
    /** The names that tensors are written under; all others are shared ones'. */
    private final Set<String> stored;

    private final Map<String, String> metadata;
    private final Hints hints;
    private final NetworkBuilder builder;

    TorchReader(Path file, SafeTensors contents, Hints hints) {
        this.file = file;
        this.stored = contents.tensors().keySet();
        this.metadata = contents.metadata();
        this.hints = hints;
        this.builder = new NetworkBuilder(file, TorchFile.FORMAT, withShared(contents));
    }

    /** safetensors.torch.save_model writes a shared tensor once; for its other names the metadata name that one. */
    private static Map<String, NdArray> withShared(SafeTensors contents) {
        Map<String, NdArray> tensors = new LinkedHashMap<>(contents.tensors());
        contents.metadata().forEach((other, name) -> {
            NdArray shared = contents.tensors().get(name);
            if (shared != null) tensors.putIfAbsent(other, shared);
        });
        return tensors;
    }

    Imported read() throws ModelFileException {
        String prefix = prefix();
        boolean bidirectional = builder.has(prefix + "weight_ih_l0_reverse");
        boolean bias = builder.has(prefix + "bias_ih_l0");
        int[] sizes = sizes(prefix);
        int hidden = sizes[0];
        int inputs = sizes[1];
        int channels = bidirectional ? 2 * hidden : hidden;
        int layers = 0;
        for (; builder.has(prefix + "weight_ih_l" + layers); layers++) {
            for (int direction = 0; direction < (bidirectional ? 2 : 1); direction++) {
                readDirection(prefix, layers, direction, layers == 0 ? inputs : channels, hidden, bias);
            }
        }
        int vocabulary = embedding(inputs);
        boolean merged = bidirectional && hints.merge() != null && hints.merge() != Merge.CONCAT;
        int outputs = merged ? hidden : channels;
        int classes = dense(outputs, bidirectional && hints.merge() == null);
        SimpleRnnConfig shape = SimpleRnnConfig.of(inputs, hidden)
                .withLayers(layers)
                .withBias(bias)
                .withRecurrentBias(bias && hints.recurrentBias())
                .withBidirectional(bidirectional);
        // nn.RNN puts two directions side by side; what a module makes of them then, its user says.
        Hints said = NN_RNN.withMerge(bidirectional && !merged ? Merge.CONCAT : null)
                .withActivation(metadata(TorchFile.NONLINEARITY, Activation.class))
                .withOutput(metadata(TorchFile.OUTPUT, Output.class));
        YesOrNo zero = metadata(TorchFile.ZERO_OUTPUT_FOR_MASK, YesOrNo.class);
        if (zero != null) said = said.withZeroOutputForMask(zero == YesOrNo.TRUE);
        String module =
                prefix.isEmpty() ? "" : " " + ModelFileException.brief(prefix.substring(0, prefix.length() - 1));
        if (bidirectional && classes > 0 && said.output() == null && hints.output() == null) {
            builder.note(
                    "LAST is the last state of each direction, nn.RNN's h_n. If the module takes the last step of all"
                            + " outputs, as in out[:, -1], it sees of the reverse direction only its first step, which elman does not"
                            + " give.");
        }
        // Else the one that is there may be tied to the other, under a name that is not usual.
        boolean tied = inputs == outputs && (vocabulary == 0) != (classes == 0);
        for (String other : builder.left()) {
            if (!stored.contains(other) && (!tied || RNN_ARRAY.matcher(other).matches())) builder.ignore(other);
        }
        SimpleRnnConfig config = builder.settle(shape, said, hints, classes > 0 ? outputs : 0, "nn.RNN" + module);
        return builder.build(vocabulary, config, classes, "nn.RNN" + module);
    }

    /** What stands before weight_ih_l0. */
    private String prefix() throws ModelFileException {
        Set<String> prefixes = new TreeSet<>();
        for (String name : stored) {
            Matcher array = RNN_ARRAY.matcher(name);
            if (array.matches()) prefixes.add(array.group(1));
        }
        if (prefixes.size() == 1) return prefixes.iterator().next();
        throw new ModelFileException(
                file,
                "tensors",
                "those of one torch.nn.RNN: weight_ih_l0, weight_hh_l0, perhaps with a module's name in front",
                prefixes.isEmpty() ? NetworkBuilder.some(stored) : "those of " + NetworkBuilder.some(prefixes),
                "Save the state_dict of a module with one nn.RNN");
    }

    /** H and D. */
    private int[] sizes(String prefix) throws ModelFileException {
        String recurrent = prefix + "weight_hh_l0";
        int[] hh = builder.matrix(recurrent);
        int[] ih = builder.matrix(prefix + "weight_ih_l0");
        if (hh[0] != hh[1]) {
            String gated = hh[0] % hh[1] == 0 ? GATED.get(hh[0] / hh[1]) : null;
            throw builder.wrong(
                    recurrent,
                    "[H,H], as nn.RNN has it",
                    Report.text(hh[0], hh[1]) + (gated == null ? "" : ", as " + gated + " has it"));
        }
        return new int[] {hh[0], ih[1]};
    }

    private void readDirection(String prefix, int layer, int direction, int inputs, int hidden, boolean bias)
            throws ModelFileException {
        String suffix = TorchFile.suffix(layer, direction);
        builder.transpose(Network.rnn(layer, direction, "wx"), prefix + "weight_ih" + suffix, hidden, inputs);
        builder.transpose(Network.rnn(layer, direction, "wh"), prefix + "weight_hh" + suffix, hidden, hidden);
        if (!bias) return;
        String b = Network.rnn(layer, direction, "b");
        String first = prefix + "bias_ih" + suffix;
        String second = prefix + "bias_hh" + suffix;
        if (hints.recurrentBias()) {
            builder.copy(b, first, hidden);
            builder.copy(Network.rnn(layer, direction, "bh"), second, hidden);
        } else {
            builder.add(b, first, second, hidden);
        }
    }

    /** V, or 0 where there is no embedding. */
    private int embedding(int inputs) throws ModelFileException {
        String name = module("embedding", hints.embedding(), EMBEDDINGS);
        if (name == null) return 0;
        String array = name + ".weight";
        int vocabulary = builder.matrix(array)[0];
        builder.copy(Network.TABLE, array, vocabulary, inputs);
        return vocabulary;
    }

    /** K, or 0 where there is no dense layer; of two directions it may show that they are merged. */
    private int dense(int channels, boolean mayBeMerged) throws ModelFileException {
        String name = module("dense layer", hints.dense(), DENSES);
        if (name == null) return 0;
        String array = name + ".weight";
        int[] matrix = builder.matrix(array);
        if (mayBeMerged && 2 * matrix[1] == channels) throw builder.merged(matrix[1]);
        int classes = matrix[0];
        builder.transpose(Network.DENSE_W, array, classes, channels);
        if (builder.has(name + ".bias")) builder.copy(Network.DENSE_B, name + ".bias", classes);
        else builder.zeros(Network.DENSE_B, classes);
        return classes;
    }

    /**
     * The module that was named, or the only one with a usual name; null where there is none. One whose matrix is written under
     * another name is tied to that, or the same again: asked for only where no other is.
     */
    private String module(String what, String named, Set<String> usual) throws ModelFileException {
        if (named != null) return named;
        List<String> found = modules(usual, true);
        if (found.isEmpty()) found = modules(usual, false);
        if (found.size() < 2) return found.isEmpty() ? null : found.get(0);
        throw new ModelFileException(
                file,
                "tensors",
                "one " + what,
                NetworkBuilder.some(found),
                "Say which of them is the " + what + " to be read");
    }

    private List<String> modules(Set<String> usual, boolean written) {
        List<String> found = new ArrayList<>();
        for (String array : builder.left()) {
            if (!array.endsWith(".weight") || stored.contains(array) != written) continue;
            String module = array.substring(0, array.length() - ".weight".length());
            String last = module.substring(module.lastIndexOf('.') + 1);
            if (usual.contains(last.toLowerCase(Locale.ROOT))) found.add(module);
        }
        return found;
    }

    /** What metadata can say of a switch. */
    private enum YesOrNo {
        FALSE,
        TRUE
    }

    private <E extends Enum<E>> E metadata(String key, Class<E> type) throws ModelFileException {
        String value = metadata.get(key);
        if (value == null) return null;
        for (E constant : type.getEnumConstants()) {
            if (constant.name().equalsIgnoreCase(value)) return constant;
        }
        throw new ModelFileException(
                file,
                "metadata " + key,
                "one of " + List.of(type.getEnumConstants()),
                ModelFileException.brief(value),
                "Correct or remove it");
    }
}
