package dev.elman.peers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** The loops in double that judge the peers, and how they judge. */
class CheckTest {
    private static final double STEP = 1e-3;

    /** The gradients of a small problem by central differences of the loss sum(y * dy). */
    @Test
    void theReferencesGradientsAreThoseOfItsOutputs() {
        Problem problem = Problem.of(new Sizes(3, 4, 2, 5));
        Reference reference = new Reference(problem);
        // x and dx are [N][T][D] both, so one rule serves all.
        assertArrayEquals(differences(problem, problem.x()), reference.get(Output.DX), 1e-5);
        assertArrayEquals(differences(problem, problem.wx()), reference.get(Output.DWX), 1e-4);
        assertArrayEquals(differences(problem, problem.wh()), reference.get(Output.DWH), 1e-4);
        assertArrayEquals(differences(problem, problem.b()), reference.get(Output.DB), 1e-4);
    }

    private static double[] differences(Problem problem, float[] parameters) {
        double[] gradient = new double[parameters.length];
        for (int i = 0; i < parameters.length; i++) {
            float value = parameters[i];
            parameters[i] = (float) (value + STEP);
            double above = parameters[i];
            double lossAbove = loss(problem);
            parameters[i] = (float) (value - STEP);
            double below = parameters[i];
            gradient[i] = (lossAbove - loss(problem)) / (above - below);
            parameters[i] = value;
        }
        return gradient;
    }

    private static double loss(Problem problem) {
        double[] y = new Reference(problem).get(Output.Y);
        double loss = 0;
        for (int i = 0; i < y.length; i++) loss += y[i] * problem.dy()[i];
        return loss;
    }

    /** tanh(0.5 * 0.25 + 0.75), and a step later 0.5 times that more. */
    @Test
    void theReferenceFollowsTheFormula() {
        float[] x = {0.25f, 0.25f};
        float[] half = {0.5f};
        Problem problem = new Problem(new Sizes(1, 2, 1, 1), x, half, half, new float[] {0.75f}, new float[2]);
        double first = Math.tanh(0.875);
        double[] expected = {first, Math.tanh(0.875 + 0.5 * first)};
        assertArrayEquals(expected, new Reference(problem).get(Output.Y), 1e-15);
    }

    @Test
    void deviationsAreSharesOfTheLargestElement() {
        assertEquals(0.125, Check.deviation(new double[] {0, -4}, new float[] {0.5f, -4}));
        assertEquals(0, Check.deviation(new double[] {0, 0}, new float[] {0, 0}));
        assertEquals(Double.POSITIVE_INFINITY, Check.deviation(new double[] {0, 0}, new float[] {0, 1}));
        assertEquals(Double.POSITIVE_INFINITY, Check.deviation(new double[] {1, 1}, new float[] {1, Float.NaN}));
        assertEquals(Double.POSITIVE_INFINITY, Check.deviation(new double[] {1, 1}, new float[] {1}));
    }

    @Test
    void swapsAndTransposes() {
        float[] values = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
        float[] swapped = {1, 2, 7, 8, 3, 4, 9, 10, 5, 6, 11, 12};
        assertArrayEquals(swapped, Layouts.swapLeading(values, 2, 3, 2));
        assertArrayEquals(values, Layouts.swapLeading(swapped, 3, 2, 2));
        assertArrayEquals(new float[] {1, 4, 2, 5, 3, 6}, Layouts.transpose(new float[] {1, 2, 3, 4, 5, 6}, 2, 3));
    }

    /** Input and its gradient, states and theirs, weights and theirs, 4 bytes each, and 10 %. */
    @Test
    void theAllowanceCountsTheStepsOwnData() {
        double numbers = 2 * (2 * 3 * 5) + 2 * (2 * 3 * 7) + 2 * (5 * 7 + 7 * 7 + 7);
        assertEquals(1.1 * 4 * numbers, PeakMemory.allowedBytes(new Sizes(2, 3, 5, 7)), 1e-9);
    }
}
