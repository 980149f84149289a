package dev.elman.convert;

import dev.elman.backend.Activation;
import dev.elman.rnn.Merge;
import dev.elman.rnn.Output;
import dev.elman.rnn.SimpleRnnConfig;
import java.util.ArrayList;
import java.util.List;

/**
 * What a user says of a file that does not say it itself; readers gather what a file does say in the same form. What is null
 * is not said. Most are settings of {@link SimpleRnnConfig} that no array shows, though each changes what a network answers.
 *
 * @param activation of the recurrence
 * @param output what the recurrent layer returns
 * @param merge how two directions become one
 * @param goBackwards whether one direction reads from the end
 * @param zeroOutputForMask whether the sequence is 0 at masked steps
 * @param stateful whether a call begins where the one before ended
 * @param recurrentBias whether PyTorch's two biases stay two, to be trained as PyTorch trains them, or become their sum
 * @param embedding name of the embedding, as in {@code model.token_embedding}
 * @param dense name of the dense layer, as in {@code model.head}
 */
public record Hints(
        Activation activation,
        Output output,
        Merge merge,
        Boolean goBackwards,
        Boolean zeroOutputForMask,
        Boolean stateful,
        boolean recurrentBias,
        String embedding,
        String dense) {
    /** Nothing said. */
    public static final Hints NONE = new Hints(null, null, null, null, null, null, false, null, null);

    /** All settings of a layer that no array shows: what must be said of a file that holds its weights alone. */
    public static Hints of(SimpleRnnConfig rnn) {
        return new Hints(
                rnn.activation(),
                rnn.output(),
                rnn.bidirectional() ? rnn.merge() : null,
                rnn.goBackwards(),
                rnn.zeroOutputForMask(),
                rnn.stateful(),
                rnn.recurrentBias(),
                null,
                null);
    }

    /** Null: TANH is taken where the file does not say it, with a note in the report. */
    public Hints withActivation(Activation changed) {
        return new Hints(
                changed, output, merge, goBackwards, zeroOutputForMask, stateful, recurrentBias, embedding, dense);
    }

    /**
     * Null: where the file does not say it, LAST is taken before a dense layer and SEQUENCE without one, with a note in the
     * report.
     */
    public Hints withOutput(Output changed) {
        return new Hints(
                activation, changed, merge, goBackwards, zeroOutputForMask, stateful, recurrentBias, embedding, dense);
    }

    /**
     * For files of two directions; of one, reading throws {@link dev.elman.io.ModelFileException}. Null: CONCAT is taken where
     * the file does not say it, with a note; where the dense layer has only H inputs, reading throws instead.
     */
    public Hints withMerge(Merge changed) {
        return new Hints(
                activation, output, changed, goBackwards, zeroOutputForMask, stateful, recurrentBias, embedding, dense);
    }

    /**
     * Null: false is taken where the file does not say it, with a note in the report. True makes reading throw {@link
     * dev.elman.io.ModelFileException} for a file of two directions and for nn.RNN, which never does that.
     */
    public Hints withGoBackwards(Boolean changed) {
        return new Hints(
                activation, output, merge, changed, zeroOutputForMask, stateful, recurrentBias, embedding, dense);
    }

    /** Null: false is taken where the file does not say it, with a note in the report. */
    public Hints withZeroOutputForMask(Boolean changed) {
        return new Hints(activation, output, merge, goBackwards, changed, stateful, recurrentBias, embedding, dense);
    }

    /**
     * Null: false is taken where the file does not say it, with a note in the report. True makes reading throw {@link
     * dev.elman.io.ModelFileException} for nn.RNN, which is handed its states by the caller.
     */
    public Hints withStateful(Boolean changed) {
        return new Hints(
                activation, output, merge, goBackwards, zeroOutputForMask, changed, recurrentBias, embedding, dense);
    }

    /**
     * For PyTorch files; false in {@link #NONE}. Outputs agree up to rounding either way; only further training differs.
     */
    public Hints withRecurrentBias(boolean changed) {
        return new Hints(
                activation, output, merge, goBackwards, zeroOutputForMask, stateful, changed, embedding, dense);
    }

    /**
     * For PyTorch files: the module's path in the state_dict, without {@code .weight}. Null: a module with a usual name, such
     * as {@code embedding} or {@code encoder}, is taken if there is one, and reading throws {@link
     * dev.elman.io.ModelFileException} if there are more.
     */
    public Hints withEmbedding(String name) {
        return new Hints(
                activation, output, merge, goBackwards, zeroOutputForMask, stateful, recurrentBias, name, dense);
    }

    /** For PyTorch files, as {@link #withEmbedding}; usual names are {@code fc}, {@code linear}, {@code head} and the like. */
    public Hints withDense(String name) {
        return new Hints(
                activation, output, merge, goBackwards, zeroOutputForMask, stateful, recurrentBias, embedding, name);
    }

    /** For the report of a file of weights alone: the settings it loses, which are to be said when it is read. */
    String lost() {
        List<String> habits = new ArrayList<>(List.of("activation " + activation, "output " + output));
        if (merge != null) habits.add("merge " + merge);
        if (goBackwards) habits.add("goBackwards");
        if (zeroOutputForMask) habits.add("zeroOutputForMask");
        if (stateful) habits.add("stateful");
        return "The file holds weights alone; who reads it must say: " + String.join(", ", habits) + ".";
    }
}
