package dev.elman.rnn;

/**
 * How the weights of a {@link SimpleRnn} begin.
 *
 * @param kernel Wx [D,H]
 * @param recurrent Wh [H,H]
 * @param bias every bias, as one row [1,H]
 */
public record Initializers(Initializer kernel, Initializer recurrent, Initializer bias) {
    /** Keras's SimpleRNN: Glorot uniform, orthogonal, zeros. */
    public static Initializers kerasDefaults() {
        return new Initializers(Initializer.glorotUniform(), Initializer.orthogonal(), Initializer.zeros());
    }

    /** torch.nn.RNN: everything, biases too, uniform within 1 / sqrt(H). Its two biases take {@code withRecurrentBias(true)}. */
    public static Initializers torchDefaults() {
        Initializer all = (rows, columns, random) ->
                Initializer.uniform(1 / Math.sqrt(columns)).values(rows, columns, random);
        return new Initializers(all, all, all);
    }
}
