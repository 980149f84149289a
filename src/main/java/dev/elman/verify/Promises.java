package dev.elman.verify;

import dev.elman.backend.Backend;
import dev.elman.backend.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What every operation promises, whatever it computes; asked of one sample of each. */
final class Promises {
    private static final Pattern MISMATCH = Pattern.compile("(\\w+): (.+?) must be (.+), but is (.+)\\.");
    private static final Class<IllegalArgumentException> ARGUMENT = IllegalArgumentException.class;
    private static final Class<IllegalStateException> STATE = IllegalStateException.class;

    private Promises() {}

    static List<Check> of(Sample sample) {
        return List.of(
                check(sample, "twice", Promises::repeats),
                check(sample, "a wrong extent in each place", Promises::refusesWrongShapes),
                check(sample, "an operand of another backend", Promises::refusesForeign),
                check(sample, "a closed operand", Promises::refusesClosed));
    }

    /** All operations at once, since it takes a backend of its own. */
    static Check refuseClosedBackend(List<Sample> samples) {
        return new Check("close", "", "every operation afterwards", (check, bench, findings) -> {
            Backend own = bench.opener().get();
            List<Runnable> calls = new ArrayList<>();
            for (Sample sample : samples) {
                Trial trial = new Trial(own, bench.reference(), check.seed(), Tampering.NONE);
                Consumer<Backend> call = sample.setup().prepare(trial);
                calls.add(() -> call.accept(own));
            }
            own.close();
            for (int i = 0; i < calls.size(); i++) {
                refused(findings, "use after close refused", samples.get(i).operation(), calls.get(i), STATE);
            }
        });
    }

    private interface Question {
        void ask(Sample sample, Check check, Bench bench, Findings findings);
    }

    private static Check check(Sample sample, String what, Question question) {
        String variant = what + (sample.variant().isEmpty() ? "" : ", " + sample.variant());
        return new Check(
                sample.operation(),
                sample.shape(),
                variant,
                (check, bench, findings) -> question.ask(sample, check, bench, findings));
    }

    private static void repeats(Sample sample, Check check, Bench bench, Findings findings) {
        try (Trial first = bench.trial(check);
                Trial second = bench.trial(check)) {
            sample.run(first);
            sample.run(second);
            for (int i = 0; i < first.operands().size(); i++) {
                Operand one = first.operands().get(i);
                Operand other = second.operands().get(i);
                findings.sameBits("same bits when repeated", one.values(), other.values());
            }
        }
    }

    private static void refusesWrongShapes(Sample sample, Check check, Bench bench, Findings findings) {
        List<Shape> shapes = shapes(sample, check, bench);
        for (int operand = 0; operand < shapes.size(); operand++) {
            for (int axis = 0; axis < shapes.get(operand).rank(); axis++) {
                Tampering tampering = new Tampering(operand, axis, null);
                try (Trial trial = new Trial(bench.tested(), bench.reference(), check.seed(), tampering)) {
                    Consumer<Backend> call = sample.setup().prepare(trial);
                    String extent = trial.operands().get(operand).name() + "." + axis;
                    if (sample.free().contains(extent)) continue;
                    RuntimeException thrown = refused(
                            findings, "wrong shapes refused", extent, () -> call.accept(bench.tested()), ARGUMENT);
                    if (thrown != null) judgeMessage(sample, trial, thrown.getMessage(), findings);
                    trial.operands().forEach(each -> each.judgeUntouched(findings));
                }
            }
        }
    }

    /** The message begins with the operation, names one operand, and gives that one's shape. */
    private static void judgeMessage(Sample sample, Trial trial, String message, Findings findings) {
        Matcher matcher = MISMATCH.matcher(String.valueOf(message));
        boolean good = matcher.matches()
                && matcher.group(1).equals(sample.operation())
                && trial.operands().stream().anyMatch(operand -> names(matcher, operand));
        findings.require("wrong shapes explained", good, "says too little: " + message);
    }

    private static boolean names(Matcher message, Operand operand) {
        boolean named =
                message.group(2).equals(operand.name()) || message.group(2).equals("every operand");
        return named && message.group(4).equals(operand.shape().toString());
    }

    private static void refusesForeign(Sample sample, Check check, Bench bench, Findings findings) {
        for (int operand = 0; operand < shapes(sample, check, bench).size(); operand++) {
            Tampering tampering = new Tampering(operand, -1, bench.reference());
            try (Trial trial = new Trial(bench.tested(), bench.reference(), check.seed(), tampering)) {
                Consumer<Backend> call = sample.setup().prepare(trial);
                String name = trial.operands().get(operand).name();
                refused(findings, "foreign operands refused", name, () -> call.accept(bench.tested()), ARGUMENT);
                trial.operands().forEach(each -> each.judgeUntouched(findings));
            }
        }
    }

    private static void refusesClosed(Sample sample, Check check, Bench bench, Findings findings) {
        for (int operand = 0; operand < shapes(sample, check, bench).size(); operand++) {
            try (Trial trial = bench.trial(check)) {
                Consumer<Backend> call = sample.setup().prepare(trial);
                Operand closed = trial.operands().get(operand);
                closed.close();
                refused(findings, "closed operands refused", closed.name(), () -> call.accept(bench.tested()), STATE);
                for (Operand open : trial.operands()) {
                    if (open != closed) open.judgeUntouched(findings);
                }
            }
        }
    }

    /** The shapes of all operands of a sample. */
    private static List<Shape> shapes(Sample sample, Check check, Bench bench) {
        try (Trial trial = bench.trial(check)) {
            sample.setup().prepare(trial);
            return trial.operands().stream().map(Operand::shape).toList();
        }
    }

    /** Demands an exception of this type from a call with something wrong in it, and returns what it threw. */
    static RuntimeException refused(
            Findings findings, String quantity, String wrong, Runnable call, Class<? extends RuntimeException> type) {
        try {
            call.run();
        } catch (RuntimeException e) {
            findings.require(quantity, type.isInstance(e), wrong + ": threw " + e + " and not " + type.getSimpleName());
            return e;
        }
        findings.require(quantity, false, wrong + ": was not refused, though " + type.getSimpleName() + " is due");
        return null;
    }
}
