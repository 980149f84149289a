package dev.elman.verify;

import dev.elman.backend.Backend;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import java.util.Arrays;
import java.util.List;

/** Memory: what it holds at first, views, copies to and from the host, what is refused, and when it is over. */
final class TensorChecks {
    private TensorChecks() {}

    static List<Check> all() {
        return List.of(
                check("description", "says what it is", TensorChecks::describesItself),
                check("allocate", "zeros", TensorChecks::newMemoryIsZero),
                check("allocate", "round trip", TensorChecks::roundTrip),
                check("allocate", "views share memory", TensorChecks::viewsShareMemory),
                check("allocate", "what does not fit", TensorChecks::refusesWhatDoesNotFit),
                check("allocate", "closed tensors", TensorChecks::closedTensors),
                check("allocateInts", "views and round trip", TensorChecks::ints),
                check("copy", "a tensor of another instance", TensorChecks::refusesOtherInstances),
                check("liveTensors", "counts", TensorChecks::counts),
                check("close", "twice, with tensors left", TensorChecks::closes));
    }

    private static Check check(String operation, String variant, Check.Body body) {
        return new Check(operation, "", variant, body);
    }

    private static void describesItself(Check check, Bench bench, Findings findings) {
        Backend backend = bench.tested();
        findings.require("name", backend.name().matches("[a-z]+"), "is " + backend.name());
        findings.require("description", !backend.description().isBlank(), "is empty");
        double u = backend.unitRoundoff();
        findings.require("unitRoundoff", u == 0x1p-53 || u == 0x1p-24 || u == 0x1p-10, "is " + u);
    }

    private static void newMemoryIsZero(Check check, Bench bench, Findings findings) {
        for (int size : new int[] {0, 1, 1023, 100_003}) {
            // The second allocation may get what the first one left.
            for (int round = 0; round < 2; round++) {
                try (Tensor tensor = bench.tested().allocate(Shape.of(size));
                        IntTensor ints = bench.tested().allocateInts(Shape.of(size))) {
                    findings.sameBits("zeros", new double[size], tensor.toDoubles());
                    findings.require("zero ints", Arrays.equals(new int[size], ints.toInts()), "not all are 0");
                    bench.tested().fill(tensor, 5);
                    int[] fives = new int[size];
                    Arrays.fill(fives, 5);
                    ints.set(fives);
                }
            }
        }
    }

    private static void roundTrip(Check check, Bench bench, Findings findings) {
        double[] values = {1, -1, .1, -0.0, 1e30, 1e-30, Float.MIN_VALUE, Double.NaN, Double.POSITIVE_INFINITY};
        double[] rounded = new double[values.length];
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = (float) values[i];
            rounded[i] = bench.tested().unitRoundoff() == 0x1p-53 ? values[i] : floats[i];
        }
        try (Tensor tensor = bench.tested().allocate(Shape.of(3, 3))) {
            tensor.set(values);
            findings.sameBits("doubles in, doubles out", rounded, tensor.toDoubles());
            findings.sameBits("doubles in, floats out", widened(floats), widened(tensor.toFloats()));
            tensor.set(floats);
            findings.sameBits("floats in, floats out", widened(floats), widened(tensor.toFloats()));
            findings.sameBits("floats in, doubles out", widened(floats), tensor.toDoubles());
            tensor.toFloats()[0] = 99;
            findings.sameBits("the copy is a copy", widened(floats), tensor.toDoubles());
        }
    }

    private static double[] widened(float[] floats) {
        double[] values = new double[floats.length];
        for (int i = 0; i < floats.length; i++) values[i] = floats[i];
        return values;
    }

    private static void viewsShareMemory(Check check, Bench bench, Findings findings) {
        try (Tensor tensor = bench.tested().allocate(Shape.of(4, 3))) {
            tensor.set(0., 1., 2., 3., 4., 5., 6., 7., 8., 9., 10., 11.);
            findings.sameBits(
                    "slice", new double[] {3, 4, 5, 6, 7, 8}, tensor.slice(1, 2).toDoubles());
            findings.sameBits(
                    "view", new double[] {5, 6}, tensor.view(5, Shape.of(2, 1)).toDoubles());
            Tensor inner = tensor.slice(1, 3).view(4, Shape.of(2));
            findings.sameBits("view of a view", new double[] {7, 8}, inner.toDoubles());
            findings.require("shape", inner.shape().equals(Shape.of(2)), "is " + inner.shape());
            findings.sameBits(
                    "reshape",
                    tensor.toDoubles(),
                    tensor.reshape(Shape.of(2, 6)).toDoubles());
            inner.set(-7., -8.);
            bench.tested().fill(tensor.view(0, Shape.of(1)), 20);
            double[] expected = {20, 1, 2, 3, 4, 5, 6, -7, -8, 9, 10, 11};
            findings.sameBits("written through a view", expected, tensor.toDoubles());
            inner.close();
            findings.sameBits("after closing a view", expected, tensor.toDoubles());
            findings.sameBits(
                    "an empty view at the end",
                    new double[0],
                    tensor.view(12, Shape.of(0)).toDoubles());
        }
    }

    private static void refusesWhatDoesNotFit(Check check, Bench bench, Findings findings) {
        try (Tensor tensor = bench.tested().allocate(Shape.of(2, 3));
                IntTensor ints = bench.tested().allocateInts(Shape.of(2, 3))) {
            Tensor half = tensor.slice(0, 1);
            Class<IndexOutOfBoundsException> outside = IndexOutOfBoundsException.class;
            refused(findings, "view too long", () -> tensor.view(1, Shape.of(6)), outside);
            refused(findings, "view before the first", () -> tensor.view(-1, Shape.of(1)), outside);
            refused(findings, "view beyond its view", () -> half.view(1, Shape.of(3)), outside);
            refused(findings, "slice too long", () -> tensor.slice(1, 2), outside);
            refused(findings, "view of ints too long", () -> ints.view(4, Shape.of(3)), outside);
            Class<IllegalArgumentException> argument = IllegalArgumentException.class;
            refused(findings, "reshape to another size", () -> tensor.reshape(Shape.of(5)), argument);
            refused(findings, "too many floats", () -> half.set(1f, 2f, 3f, 4f), argument);
            refused(findings, "too few doubles", () -> half.set(1., 2.), argument);
            refused(findings, "too many ints", () -> ints.set(1, 2, 3, 4, 5, 6, 7), argument);
            findings.sameBits("nothing written", new double[6], tensor.toDoubles());
        }
    }

    private static void refusesOtherInstances(Check check, Bench bench, Findings findings) {
        try (Backend other = bench.opener().get();
                Tensor foreign = other.allocate(Shape.of(3));
                Tensor own = bench.tested().allocate(Shape.of(3))) {
            Class<IllegalArgumentException> argument = IllegalArgumentException.class;
            refused(findings, "from another", () -> bench.tested().copy(foreign, own), argument);
            refused(findings, "to another", () -> bench.tested().copy(own, foreign), argument);
        }
    }

    private static void closedTensors(Check check, Bench bench, Findings findings) {
        Class<IllegalStateException> closed = IllegalStateException.class;
        Tensor tensor = bench.tested().allocate(Shape.of(2, 3));
        IntTensor ints = bench.tested().allocateInts(Shape.of(2));
        Tensor view = tensor.slice(0, 1);
        IntTensor intView = ints.view(0, Shape.of(1));
        tensor.close();
        tensor.close();
        ints.close();
        findings.require("shape", tensor.shape().equals(Shape.of(2, 3)), "a closed tensor has another");
        findings.require("shape of ints", ints.shape().equals(Shape.of(2)), "closed ints have another");
        for (Tensor each : List.of(tensor, view)) {
            refused(findings, "view", () -> each.view(0, Shape.of(1)), closed);
            refused(findings, "slice", () -> each.slice(0, 1), closed);
            refused(findings, "reshape to another size", () -> each.reshape(Shape.of(5)), closed);
            refused(
                    findings,
                    "set floats",
                    () -> each.set(new float[(int) each.shape().size()]),
                    closed);
            refused(
                    findings,
                    "set doubles",
                    () -> each.set(new double[(int) each.shape().size()]),
                    closed);
            refused(findings, "toFloats", each::toFloats, closed);
            refused(findings, "toDoubles", each::toDoubles, closed);
            refused(findings, "fill", () -> bench.tested().fill(each, 1), closed);
        }
        for (IntTensor each : List.of(ints, intView)) {
            refused(findings, "view of ints", () -> each.view(0, Shape.of(1)), closed);
            refused(
                    findings,
                    "set ints",
                    () -> each.set(new int[(int) each.shape().size()]),
                    closed);
            refused(findings, "toInts", each::toInts, closed);
        }
    }

    private static void ints(Check check, Bench bench, Findings findings) {
        int[] values = {0, -1, Integer.MAX_VALUE, Integer.MIN_VALUE, 16_777_217, 5};
        try (IntTensor ints = bench.tested().allocateInts(Shape.of(2, 3))) {
            ints.set(values);
            findings.require("round trip", Arrays.equals(values, ints.toInts()), Arrays.toString(ints.toInts()));
            IntTensor view = ints.view(1, Shape.of(5)).view(1, Shape.of(2));
            view.set(7, 8);
            int[] expected = {0, -1, 7, 8, 16_777_217, 5};
            findings.require("view", Arrays.equals(expected, ints.toInts()), Arrays.toString(ints.toInts()));
            view.close();
            findings.require("after closing a view", Arrays.equals(expected, ints.toInts()), "changed");
        }
    }

    private static void counts(Check check, Bench bench, Findings findings) {
        Backend backend = bench.tested();
        int before = backend.liveTensors();
        Tensor tensor = backend.allocate(Shape.of(3));
        IntTensor ints = backend.allocateInts(Shape.of(3));
        Tensor view = tensor.view(0, Shape.of(2));
        IntTensor intView = ints.view(0, Shape.of(2));
        findings.require("two more", backend.liveTensors() == before + 2, "are " + backend.liveTensors());
        view.close();
        intView.close();
        findings.require("a view is none", backend.liveTensors() == before + 2, "are " + backend.liveTensors());
        tensor.close();
        tensor.close();
        findings.require("one fewer", backend.liveTensors() == before + 1, "are " + backend.liveTensors());
        ints.close();
        findings.require("as before", backend.liveTensors() == before, "are " + backend.liveTensors());
    }

    private static void closes(Check check, Bench bench, Findings findings) {
        Backend own = bench.opener().get();
        Tensor tensor = own.allocate(Shape.of(3));
        IntTensor ints = own.allocateInts(Shape.of(3));
        own.close();
        own.close();
        Class<IllegalStateException> closed = IllegalStateException.class;
        refused(findings, "allocate", () -> own.allocate(Shape.of(1)), closed);
        refused(findings, "allocateInts", () -> own.allocateInts(Shape.of(1)), closed);
        refused(findings, "toFloats", tensor::toFloats, closed);
        refused(findings, "toInts", ints::toInts, closed);
        refused(findings, "view", () -> tensor.view(0, Shape.of(1)), closed);
        tensor.close();
        ints.close();
    }

    private static void refused(Findings findings, String what, Runnable call, Class<? extends RuntimeException> type) {
        Promises.refused(findings, "refusal", what, call, type);
    }
}
