package dev.elman.cuda;

import dev.elman.backend.BackendUnavailableException;
import java.util.List;
import java.util.function.BiFunction;

/**
 * One question to the device.
 *
 * @param name what is asked
 * @param ask measures, and proves by the kernel's result that what was measured has happened
 */
record Probe(String name, BiFunction<ProbeDevice, Scale, List<Finding>> ask) {
    /**
     * How much work a measurement takes.
     *
     * @param steps barriers, launches or rounds of the longer of two runs
     * @param vectors 16-byte vectors of the largest memory that is read
     */
    record Scale(int steps, int vectors) {
        /** Long enough that a clock tick does not matter on a GPU. */
        static final Scale GPU = new Scale(4000, 1 << 18);

        /** Enough to see that the result is right. */
        static final Scale SMALL = new Scale(40, 1 << 10);

        int few() {
            return steps / 4;
        }
    }

    /**
     * One answer.
     *
     * @param what what was measured
     * @param value measured; NaN where there is none
     * @param unit of the value, or the answer itself where it is no number
     * @param expected what the model behind the design takes it to be, in the same unit; NaN where it says nothing
     */
    record Finding(String what, double value, String unit, double expected) {
        /** An answer that is no number. */
        static Finding answer(String what, String answer) {
            return new Finding(what, Double.NaN, answer, Double.NaN);
        }

        boolean refused() {
            return unit.startsWith("refused: ");
        }
    }

    @Override
    public String toString() {
        return name;
    }

    /** The answers, or the reason why there are none, on a device of its own. */
    List<Finding> run(Scale scale) {
        try (ProbeDevice device = new ProbeDevice()) {
            return ask.apply(device, scale);
        } catch (CudaCallException | BackendUnavailableException | Refusal e) {
            return List.of(Finding.answer(name, "refused: " + e.getMessage()));
        }
    }

    /** A device that does not do what the probe is about. */
    static final class Refusal extends RuntimeException {
        private static final long serialVersionUID = 1;

        Refusal(String reason) {
            super(reason);
        }
    }

    /** Throws {@link AssertionError}: the kernel ran and its result is wrong, so its time says nothing. */
    static void require(boolean right, String what) {
        if (!right) throw new AssertionError(what);
    }
}
