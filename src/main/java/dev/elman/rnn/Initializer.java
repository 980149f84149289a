package dev.elman.rnn;

import java.util.Random;

/** How the numbers of a weight matrix begin. The same seed gives the same numbers on every machine. */
@FunctionalInterface
public interface Initializer {
    /**
     * A matrix [rows, columns], row-major; rows are the inputs (fan in), columns the outputs (fan out). A bias is one row.
     */
    double[] values(int rows, int columns, Random random);

    /** All 0. */
    static Initializer zeros() {
        return (rows, columns, random) -> new double[rows * columns];
    }

    /** Independent normal numbers with mean 0. */
    static Initializer normal(double standardDeviation) {
        return (rows, columns, random) -> {
            double[] values = new double[rows * columns];
            for (int i = 0; i < values.length; i++) values[i] = standardDeviation * random.nextGaussian();
            return values;
        };
    }

    /** Independent uniform numbers in [-limit, limit). PyTorch takes 1 / sqrt(H) for all of nn.RNN. */
    static Initializer uniform(double limit) {
        return (rows, columns, random) -> {
            double[] values = new double[rows * columns];
            for (int i = 0; i < values.length; i++) values[i] = limit * (2 * random.nextDouble() - 1);
            return values;
        };
    }

    /** Uniform with limit sqrt(6 / (fan in + fan out)) (Glorot and Bengio 2010), Keras's default for kernels. */
    static Initializer glorotUniform() {
        return (rows, columns, random) ->
                uniform(Math.sqrt(6.0 / (rows + columns))).values(rows, columns, random);
    }

    /**
     * Orthonormal rows or columns, whichever are fewer (Saxe, McClelland and Ganguli 2014), Keras's default for recurrent
     * kernels. Modified Gram-Schmidt on normal numbers, so that the distribution is Haar's.
     */
    static Initializer orthogonal() {
        return (rows, columns, random) -> {
            boolean wide = rows <= columns;
            int count = Math.min(rows, columns);
            int length = Math.max(rows, columns);
            double[][] basis = new double[count][length];
            for (int i = 0; i < count; i++) Orthonormal.draw(basis, i, random);
            double[] values = new double[rows * columns];
            for (int i = 0; i < count; i++) {
                for (int j = 0; j < length; j++) values[wide ? i * columns + j : j * columns + i] = basis[i][j];
            }
            return values;
        };
    }
}
