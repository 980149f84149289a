package dev.elman.train;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;

/**
 * Which training it is, as far as that decides its bits: only one with the same settings, and the same rates as far as both
 * go, can go on where another stopped. When it ends, by {@code epochs} or {@code patience}, is no part of it; that shows in the
 * rates of a schedule over all epochs.
 *
 * @param settings of the trainer, the model and the data, by name
 * @param epochs of the training; of one that stands in a file as far as the rates go
 * @param rates the learning rates at the begin and the end of each epoch, of so many that a file has room for them
 */
record TrainingPlan(Map<String, String> settings, int epochs, List<Double> rates) {
    private static final int MOST_EPOCHS = 10_000;
    /** How the names of settings begin that stand for more than people could compare. */
    private static final String HASH = "hash of ";
    /** What the rows are is no part of it where they come only as an epoch needs them: nobody knows all. */
    static final String ROWS = HASH + "the rows";

    static TrainingPlan of(Trainer trainer, Learner learner, long batches) {
        Map<String, String> settings = new LinkedHashMap<>(trainer.settings());
        settings.putAll(learner.settings());
        List<Double> rates = LongStream.range(0, Math.min(trainer.epochs(), MOST_EPOCHS))
                .flatMap(epoch -> LongStream.of(epoch * batches, (epoch + 1) * batches - 1))
                .mapToObj(step -> trainer.learningRate(step, batches * trainer.epochs()))
                .toList();
        return new TrainingPlan(settings, trainer.epochs(), rates);
    }

    /** The first thing in which a training now differs, with both values; null when there is none. */
    String difference(TrainingPlan now) {
        if (settings.isEmpty()) return "it does not say of which, as those of elman's first snapshots do not";
        Set<String> names = new LinkedHashSet<>(now.settings.keySet());
        names.addAll(settings.keySet());
        for (String name : names) {
            boolean unknown = !settings.containsKey(name) || !now.settings.containsKey(name);
            if (unknown && name.startsWith(ROWS)) continue;
            String then = settings.getOrDefault(name, "none");
            String given = now.settings.getOrDefault(name, "none");
            if (then.equals(given)) continue;
            if (name.startsWith(HASH)) return name.substring(HASH.length()) + " are not those of then";
            return name + " was " + then + ", but is " + given;
        }
        for (int i = 0; i < Math.min(rates.size(), now.rates.size()); i++) {
            if (rates.get(i).equals(now.rates.get(i))) continue;
            if (epochs != now.epochs) {
                return "its learning rates are for " + epochs + " epochs in all, and not for " + now.epochs;
            }
            String place = "at the " + (i % 2 == 0 ? "begin" : "end") + " of epoch " + (i / 2 + 1) + " of ";
            return "the learning rate " + place + epochs + " was " + rates.get(i) + ", but " + place + now.epochs
                    + " it is " + now.rates.get(i);
        }
        return null;
    }
}
