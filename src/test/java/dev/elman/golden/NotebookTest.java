package dev.elman.golden;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.elman.backend.Activation;
import dev.elman.backend.Backend;
import dev.elman.backend.SgdStep;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnBackward;
import dev.elman.backend.SimpleRnnForward;
import dev.elman.backend.SimpleRnnPass;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import dev.elman.contract.TestedBackend;
import dev.elman.verify.Tolerance;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The notebook that elman began with, digit by digit: one row, three steps of two features, four nodes.
 *
 * <p>Its forward pass was right. Its backward pass had two slips: the step counter was never counted down, so that every
 * step back used the cache of the last step; and each step back updated the weights at once. Both are replayed here on the
 * library's own step, which gives what the notebook printed; the library has neither.
 */
class NotebookTest {
    private static final int T = 3;
    private static final int D = 2;
    private static final int H = 4;
    private static final double[] X = {.01, .02, .02, .03, .03, .04};
    private static final double[] WX = {.01, .03, .05, .07, .03, .05, .07, .08};
    private static final double[] WH = {.01, .03, .05, .07, .02, .04, .06, .08, .03, .05, .07, .08, .04, .06, .08, .10};
    private static final SimpleRnnPass TANH = new SimpleRnnPass(Activation.TANH, false, null);

    @ParameterizedTest
    @EnumSource
    void activations(TestedBackend backend) {
        try (Notebook notebook = new Notebook(backend)) {
            // A step without activation, from the state that the one before it left, has its sum for a state.
            double[][] expected = {
                {1.0007, 1.0013, 1.0019, 1.0023},
                {1.07733574, 1.13931527, 1.20129481, 1.25535044},
                {1.08471832, 1.15192269, 1.21912707, 1.27759095}
            };
            for (int t = 0; t < T; t++) notebook.assertDigits(expected[t], notebook.sums(t));
        }
    }

    @ParameterizedTest
    @EnumSource
    void states(TestedBackend backend) {
        try (Notebook notebook = new Notebook(backend)) {
            double[][] expected = {
                {.76188798, .76213958, .76239095, .76255841},
                {.792209, .8141834, .83404912, .84977719},
                {.79494228, .81839002, .83939649, .85584174}
            };
            for (int t = 0; t < T; t++)
                notebook.assertDigits(expected[t], notebook.h.slice(t + 1, 1).toDoubles());
        }
    }

    @ParameterizedTest
    @EnumSource
    void gradients(TestedBackend backend) {
        try (Notebook notebook = new Notebook(backend)) {
            notebook.backend.fill(notebook.dh, 1);
            notebook.backend.fill(notebook.dh.slice(0, 1), 0);
            notebook.backend.simpleRnnBackward(
                    new SimpleRnnBackward(notebook.forward, notebook.dh, notebook.dx, notebook.gradients));
            notebook.assertDigits(
                    new double[] {.07237975, .09034314, .10373134, .12626992},
                    notebook.dh.slice(0, 1).toDoubles());
            notebook.assertDigits(
                    new double[] {.07237975, .10373134, .05199753, .07646683, .04708592, .06963563},
                    notebook.dx.toDoubles());
            notebook.assertDigits(
                    new double[] {1.19934775, 1.13416539, 1.07175132, 1.02653129},
                    notebook.gradients.b().toDoubles());
            notebook.assertDigits(
                    new double[] {.02325421, .02151871, .01988135, .01863078, .03524769, .03286036, .03059886, .0288961
                    },
                    notebook.gradients.wx().toDoubles());
            notebook.assertDigits(
                    new double[] {
                        .58867635, .53378663, .48206685, .4416354, .5968625, .54113328, .48864029, .44759017,
                        .60427244, .54778349, .49459073, .45298073, .61012671, .55303731, .49929153, .45723902
                    },
                    notebook.gradients.wh().toDoubles());
        }
    }

    @ParameterizedTest
    @EnumSource
    void stepsBackWithoutASlipAreTheGradients(TestedBackend backend) {
        try (Notebook notebook = new Notebook(backend)) {
            double[] initial = notebook.stepsBack(false, false);
            notebook.assertDigits(new double[] {.07237975, .09034314, .10373134, .12626992}, initial);
        }
    }

    @ParameterizedTest
    @EnumSource
    void bothSlipsGiveWhatTheNotebookPrinted(TestedBackend backend) {
        try (Notebook notebook = new Notebook(backend)) {
            double[] initial = notebook.stepsBack(true, true);
            notebook.assertDigits(new double[] {.04998308, .06343091, .07396354, .09033399}, initial);
            double[][] printed = {{.04708592, .06963563}, {.05045678, .07438174}, {.05065903, .07466772}};
            for (int call = 0; call < T; call++) {
                notebook.assertDigits(printed[call], notebook.inputGradients.get(call));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void staleCacheAlone(TestedBackend backend) {
        try (Notebook notebook = new Notebook(backend)) {
            double[] initial = notebook.stepsBack(true, false);
            notebook.assertDigits(new double[] {.05070243, .06417418, .07472788, .09111768}, initial);
        }
    }

    @ParameterizedTest
    @EnumSource
    void updateInBackwardAlone(TestedBackend backend) {
        try (Notebook notebook = new Notebook(backend)) {
            double[] initial = notebook.stepsBack(false, true);
            notebook.assertDigits(new double[] {.07143793, .0893827, .10275503, .12527702}, initial);
        }
    }

    /** The notebook's network after its forward pass. */
    private static final class Notebook implements AutoCloseable {
        private final Backend backend;
        private final Tensor x;
        private final Tensor h;
        private final Tensor dh;
        private final Tensor dx;
        private final SimpleRnnWeights weights;
        private final SimpleRnnWeights gradients;
        private final SimpleRnnForward forward;
        private final List<Tensor> opened = new ArrayList<>();
        private final List<double[]> inputGradients = new ArrayList<>();

        Notebook(TestedBackend tested) {
            backend = tested.open();
            x = open(T, 1, D);
            h = open(T + 1, 1, H);
            dh = open(T + 1, 1, H);
            dx = open(T, 1, D);
            weights = new SimpleRnnWeights(open(D, H), open(H, H), open(H));
            gradients = new SimpleRnnWeights(open(D, H), open(H, H), open(H));
            x.set(X);
            weights.wx().set(WX);
            weights.wh().set(WH);
            backend.fill(weights.b(), 1);
            forward = new SimpleRnnForward(weights, TANH, x, h);
            backend.simpleRnnForward(forward);
        }

        private Tensor open(int... extents) {
            Tensor tensor = backend.allocate(Shape.of(extents));
            opened.add(tensor);
            return tensor;
        }

        /** a_t = x_t Wx + h_before Wh + b. */
        double[] sums(int t) {
            Tensor step = open(2, 1, H);
            backend.copy(h.slice(t, 1), step.slice(0, 1));
            SimpleRnnPass linear = new SimpleRnnPass(Activation.LINEAR, false, null);
            backend.simpleRnnForward(new SimpleRnnForward(weights, linear, x.slice(t, 1), step));
            return step.slice(1, 1).toDoubles();
        }

        /** Three single steps back with a gradient of 1 from above at each; returns the gradient of the initial state. */
        double[] stepsBack(boolean staleCache, boolean updateAtOnce) {
            Tensor step = open(2, 1, H);
            Tensor inputGradient = open(1, 1, D);
            for (int t = T - 1; t >= 0; t--) {
                int cached = staleCache ? T - 1 : t;
                // What reached the state before the later step comes on top of the 1 from above.
                Tensor upstream = step.slice(1, 1);
                backend.fill(upstream, 1);
                backend.axpy(1, step.slice(0, 1), upstream);
                backend.fill(step.slice(0, 1), 0);
                for (Tensor each : all(gradients)) backend.fill(each, 0);
                SimpleRnnForward ran = new SimpleRnnForward(weights, TANH, x.slice(cached, 1), h.slice(cached, 2));
                backend.simpleRnnBackward(new SimpleRnnBackward(ran, step, inputGradient, gradients));
                inputGradients.add(inputGradient.toDoubles());
                if (updateAtOnce) update();
            }
            return step.slice(0, 1).toDoubles();
        }

        private void update() {
            SgdStep sgd = new SgdStep(.001, 0, false, 0);
            for (int i = 0; i < 3; i++)
                backend.sgdStep(sgd, all(weights).get(i), all(gradients).get(i), null);
        }

        private static List<Tensor> all(SimpleRnnWeights weights) {
            return List.of(weights.wx(), weights.wh(), weights.b());
        }

        /** All eight printed digits; a float backend may be off by its roundings, those of the inputs among them. */
        void assertDigits(double[] expected, double[] given) {
            double digits = 5.001e-9;
            double rounding = Tolerance.ofTerms(T * (D + H + 2)).bound(backend.unitRoundoff(), 1);
            assertArrayEquals(expected, given, digits + rounding);
        }

        @Override
        public void close() {
            opened.forEach(Tensor::close);
            assertEquals(0, backend.liveTensors());
            backend.close();
        }
    }
}
