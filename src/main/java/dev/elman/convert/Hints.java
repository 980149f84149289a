package dev.elman.convert;

import dev.elman.backend.Activation;
import dev.elman.rnn.Merge;
import dev.elman.rnn.Output;
import dev.elman.rnn.SimpleRnnConfig;
import java.util.ArrayList;
import java.util.List;

/**
 * What a user says of a file that does not say it itself; readers gather what a file does say in the same form. What is null
 * is not said. The habits are those of {@link SimpleRnnConfig}: each changes what a network answers, and no array shows it.
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

    /** All habits of a layer: what must be said of a file that holds its weights alone. */
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

    public Hints withActivation(Activation changed) {
        return new Hints(
                changed, output, merge, goBackwards, zeroOutputForMask, stateful, recurrentBias, embedding, dense);
    }

    public Hints withOutput(Output changed) {
        return new Hints(
                activation, changed, merge, goBackwards, zeroOutputForMask, stateful, recurrentBias, embedding, dense);
    }

    public Hints withMerge(Merge changed) {
        return new Hints(
                activation, output, changed, goBackwards, zeroOutputForMask, stateful, recurrentBias, embedding, dense);
    }

    public Hints withGoBackwards(Boolean changed) {
        return new Hints(
                activation, output, merge, changed, zeroOutputForMask, stateful, recurrentBias, embedding, dense);
    }

    public Hints withZeroOutputForMask(Boolean changed) {
        return new Hints(activation, output, merge, goBackwards, changed, stateful, recurrentBias, embedding, dense);
    }

    public Hints withStateful(Boolean changed) {
        return new Hints(
                activation, output, merge, goBackwards, zeroOutputForMask, changed, recurrentBias, embedding, dense);
    }

    public Hints withRecurrentBias(boolean changed) {
        return new Hints(
                activation, output, merge, goBackwards, zeroOutputForMask, stateful, changed, embedding, dense);
    }

    public Hints withEmbedding(String name) {
        return new Hints(
                activation, output, merge, goBackwards, zeroOutputForMask, stateful, recurrentBias, name, dense);
    }

    public Hints withDense(String name) {
        return new Hints(
                activation, output, merge, goBackwards, zeroOutputForMask, stateful, recurrentBias, embedding, name);
    }

    /** For the report of a file of weights alone: the habits it loses, which are to be said when it is read. */
    public String lost() {
        List<String> habits = new ArrayList<>(List.of("activation " + activation, "output " + output));
        if (merge != null) habits.add("merge " + merge);
        if (goBackwards) habits.add("goBackwards");
        if (zeroOutputForMask) habits.add("zeroOutputForMask");
        if (stateful) habits.add("stateful");
        return "The file holds weights alone; who reads it must say: " + String.join(", ", habits) + ".";
    }
}
