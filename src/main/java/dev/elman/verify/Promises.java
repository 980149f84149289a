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
            List<Trial> trials = samples.stream()
                    .map(sample -> new Trial(own, bench.reference(), check.seed(), Tampering.NONE))
                    .toList();
            List<Consumer<Backend>> calls = new ArrayList<>();
            for (int i = 0; i < trials.size(); i++)
                calls.add(samples.get(i).setup().prepare(trials.get(i)));
            own.close();
            for (int i = 0; i < trials.size(); i++) {
                refused(findings, samples.get(i).operation(), calls.get(i), own, IllegalStateException.class);
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
                findings.sameBits(
                        "same bits in " + one.name(),
                        one.values(),
                        second.operands().get(i).values());
            }
        }
    }

    private static void refusesWrongShapes(Sample sample, Check check, Bench bench, Findings findings) {
        for (int operand = 0; operand < count(sample, check, bench); operand++) {
            boolean more = true;
            for (int axis = 0; more; axis++) {
                Tampering tampering = new Tampering(operand, axis, null);
                try (Trial trial = new Trial(bench.tested(), bench.reference(), check.seed(), tampering)) {
                    Consumer<Backend> call = sample.setup().prepare(trial);
                    Operand wrong = trial.operands().get(operand);
                    more = axis + 1 < wrong.shape().rank();
                    String extent = wrong.name() + "." + axis;
                    if (sample.free().contains(extent)) continue;
                    RuntimeException thrown =
                            refused(findings, extent, call, bench.tested(), IllegalArgumentException.class);
                    if (thrown != null) judgeMessage(sample, trial, extent, thrown.getMessage(), findings);
                    trial.operands().forEach(each -> each.judgeUntouched(extent, findings));
                }
            }
        }
    }

    /** The message begins with the operation, names one operand, and gives that one's shape. */
    private static void judgeMessage(Sample sample, Trial trial, String extent, String message, Findings findings) {
        Matcher matcher = MISMATCH.matcher(String.valueOf(message));
        boolean good = matcher.matches()
                && matcher.group(1).equals(sample.operation())
                && trial.operands().stream().anyMatch(operand -> names(matcher, operand));
        findings.require(extent + " explained", good, "says too little: " + message);
    }

    private static boolean names(Matcher message, Operand operand) {
        Shape shape = operand.shape();
        boolean named =
                message.group(2).equals(operand.name()) || message.group(2).equals("every operand");
        return named && message.group(4).equals(shape.toString());
    }

    private static void refusesForeign(Sample sample, Check check, Bench bench, Findings findings) {
        for (int operand = 0; operand < count(sample, check, bench); operand++) {
            Tampering tampering = new Tampering(operand, -1, bench.reference());
            try (Trial trial = new Trial(bench.tested(), bench.reference(), check.seed(), tampering)) {
                Consumer<Backend> call = sample.setup().prepare(trial);
                String name = trial.operands().get(operand).name();
                refused(findings, name, call, bench.tested(), IllegalArgumentException.class);
                trial.operands().forEach(each -> each.judgeUntouched(name, findings));
            }
        }
    }

    private static void refusesClosed(Sample sample, Check check, Bench bench, Findings findings) {
        for (int operand = 0; operand < count(sample, check, bench); operand++) {
            try (Trial trial = bench.trial(check)) {
                Consumer<Backend> call = sample.setup().prepare(trial);
                Operand closed = trial.operands().get(operand);
                closed.close();
                refused(findings, closed.name(), call, bench.tested(), IllegalStateException.class);
                trial.operands().stream()
                        .filter(each -> each != closed)
                        .forEach(each -> each.judgeUntouched(closed.name(), findings));
            }
        }
    }

    private static int count(Sample sample, Check check, Bench bench) {
        try (Trial trial = bench.trial(check)) {
            sample.setup().prepare(trial);
            return trial.operands().size();
        }
    }

    /** Demands an exception of this type, and returns it. */
    static RuntimeException refused(
            Findings findings,
            String quantity,
            Consumer<Backend> call,
            Backend backend,
            Class<? extends RuntimeException> type) {
        try {
            call.accept(backend);
        } catch (RuntimeException e) {
            findings.require(quantity, type.isInstance(e), "threw " + e + " instead of " + type.getSimpleName());
            return e;
        }
        findings.require(quantity, false, "was not refused; " + type.getSimpleName() + " expected");
        return null;
    }
}
