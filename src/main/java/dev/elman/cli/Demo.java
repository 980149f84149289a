package dev.elman.cli;

import dev.elman.Backends;
import dev.elman.backend.Backend;
import dev.elman.data.Example;
import dev.elman.data.LanguageNames;
import dev.elman.train.ClassifierConfig;
import dev.elman.train.EpochResult;
import dev.elman.train.Evaluation;
import dev.elman.train.History;
import dev.elman.train.TextClassifier;
import dev.elman.verify.Checks;
import dev.elman.verify.Report;
import dev.elman.verify.Verifier;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;

/** What the demo does and says, from the backend to the files. */
record Demo(Terminal terminal, Backend backend, DemoCommand.Size size, int epochs, long seed) {
    static final String MODEL = "languages.safetensors";

    /** One split for all seeds, so that two runs can be compared. */
    private static final long SPLIT_SEED = 42;

    private static final int SHOWN = 10;
    private static final int SHOWN_WRONG = 4;

    /** Returns the exit code. */
    int run(List<String> passedOver, Path folder, boolean pictures) throws IOException {
        say("elman %s: which language is this name?", Main.Version.number());
        say("");
        DemoData data = DemoData.load(SPLIT_SEED, size.rows());
        say("Backend   %s", backend.description());
        passedOver.forEach(reason -> say("          passed over: %s", reason));
        if (!check()) return Failures.CHECK_FAILED;
        describe(data);
        try (TextClassifier model = TextClassifier.create(
                backend,
                DemoData.texts(data.train()),
                DemoData.labels(data.train()),
                shape -> shape.hiddenSize(size.hidden()).seed(seed))) {
            describe(model);
            say("");
            List<EpochResult> curve = train(model, data);
            say("");
            Evaluation test = model.evaluate(DemoData.texts(data.test()), DemoData.labels(data.test()));
            compare(test.accuracy(), data);
            say("");
            predict(model, data.test());
            say("");
            Path file = folder.resolve(MODEL);
            model.save(file);
            say("Model     %s", file);
            if (pictures) draw(curve, model.labels(), test.confusion(), folder);
            say("");
            say("Go on with: %s \"new zealand\" \"wielka brytania\"", Shell.elman("predict", file));
        }
        return 0;
    }

    /** Whether the backend computes what the reference does, as far as a few seconds can tell. */
    private boolean check() {
        if (backend.name().equals(Backends.REFERENCE)) {
            say("Check     none: it is what others are checked against");
            return true;
        }
        try (StatusLine status = new StatusLine(terminal.out(), terminal.interactive())) {
            status.show("Check     ...");
            Report report = Verifier.run(
                    () -> Backends.open(backend.name()),
                    () -> Backends.open(Backends.REFERENCE),
                    Checks.quick(),
                    check -> {});
            status.keep("Check     " + report.line());
            if (!report.passed()) say("What it would train is worth nothing; elman verify says more.");
            return report.passed();
        }
    }

    private void describe(DemoData data) {
        say(
                "Data      %,d names of countries, languages, currencies, months, weekdays and time zones in %d languages,"
                        + " which this JDK knows",
                data.rows(), LanguageNames.LABELS.size());
        say(
                "          %,d to learn from, %,d to validate, %,d to test; all translations of a thing are on one side",
                data.train().size(), data.validation().size(), data.test().size());
    }

    private void describe(TextClassifier model) {
        ClassifierConfig config = model.model().config();
        say(
                "Model     characters in %d dimensions, %s%d %s nodes, %s over the steps: %,d weights",
                config.inputSize(),
                config.bidirectional() ? "2 x " : "",
                config.hiddenSize(),
                config.activation().name().toLowerCase(Locale.ROOT),
                config.output().name().toLowerCase(Locale.ROOT),
                model.model().weights().count());
    }

    private List<EpochResult> train(TextClassifier model, DemoData data) {
        try (ProgressBar bar =
                new ProgressBar(terminal.out(), terminal.interactive(), epochs, TextTask.Kind.classify)) {
            DemoCurve curve = new DemoCurve(model, data.validation(), bar);
            model.fit(
                    DemoData.texts(data.train()),
                    DemoData.labels(data.train()),
                    TextClassifier.defaultTrainer()
                            .epochs(epochs)
                            .seed(seed)
                            .callback(curve)
                            .build());
            return curve.epochs();
        }
    }

    private void compare(double network, DemoData data) {
        List<DemoData.Score> scores = new ArrayList<>(data.baselines());
        DemoData.Score rival = Collections.max(scores, (a, b) -> Double.compare(a.accuracy(), b.accuracy()));
        scores.add(new DemoData.Score("Elman network", network));
        say("Right answers on the %,d test names:", data.test().size());
        Table table = new Table(1, 2);
        for (DemoData.Score score : scores) table.row(score.name(), percent(score.accuracy()));
        table.lines("  ").forEach(line -> say("%s", line));
        double points = 100 * (network - rival.accuracy());
        if (points == 0) say("It is a draw between the network and %s.", rival.name());
        else if (points > 0) say("The network won: %.1f points more than %s.", points, rival.name());
        else say("The network lost: %.1f points fewer than %s.", -points, rival.name());
    }

    /** Some of the test names, in an order that the seed decides: more right ones than wrong ones, where there are. */
    private void predict(TextClassifier model, List<Example> test) {
        List<Example> shuffled = new ArrayList<>(test);
        Collections.shuffle(shuffled, new Random(seed));
        List<Labelled> answers = Labelled.by(model, DemoData.texts(shuffled), 2);
        List<Integer> right = new ArrayList<>();
        List<Integer> wrong = new ArrayList<>();
        for (int i = 0; i < answers.size(); i++) {
            boolean hit = answers.get(i)
                    .labels()
                    .get(0)
                    .label()
                    .equals(shuffled.get(i).label());
            (hit ? right : wrong).add(i);
        }
        int wrongOnes = Math.min(wrong.size(), Math.max(SHOWN_WRONG, SHOWN - right.size()));
        List<Integer> shown = new ArrayList<>(right.subList(0, Math.min(right.size(), SHOWN - wrongOnes)));
        shown.addAll(wrong.subList(0, wrongOnes));
        say("Some of them, with the two most probable languages:");
        Table table = new Table(0, 0);
        for (int i : shown) {
            Example example = shuffled.get(i);
            List<Labelled.Label> labels = answers.get(i).labels();
            boolean hit = labels.get(0).label().equals(example.label());
            table.row(
                    hit ? "right" : "wrong",
                    example.text(),
                    percent(labels.get(0).probability()) + " "
                            + language(labels.get(0).label()),
                    percent(labels.get(1).probability()) + " "
                            + language(labels.get(1).label()),
                    hit ? "" : "is " + language(example.label()));
        }
        table.lines("  ").forEach(line -> say("%s", line));
    }

    private void draw(List<EpochResult> curve, List<String> labels, int[][] confusion, Path folder) throws IOException {
        Path curveFile = folder.resolve("curve.png");
        Path confusionFile = folder.resolve("confusion.png");
        Optional<String> obstacle = Drawing.attempt(() -> {
            Pictures.curve(new History(curve, curve.size()), TextTask.Kind.classify, curveFile);
            Pictures.confusion(labels.stream().map(Demo::language).toList(), confusion, confusionFile);
        });
        if (obstacle.isPresent()) say("Pictures  none: %s %s", obstacle.get(), Drawing.REMEDY);
        else say("Pictures  %s, %s", curveFile, confusionFile);
    }

    private static String language(String code) {
        return new Locale.Builder().setLanguage(code).build().getDisplayLanguage(Locale.ENGLISH);
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%5.1f %%", 100 * share);
    }

    private void say(String format, Object... values) {
        terminal.out().println(values.length == 0 ? format : String.format(Locale.ROOT, format, values));
    }
}
