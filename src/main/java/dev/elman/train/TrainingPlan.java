package dev.elman.train;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.LongStream;

/**
 * Which training it is, as far as that decides its bits: only one with the same settings, and the same rates as far as both
 * go, can go on where another stopped. When it ends, by {@code epochs} or {@code patience}, is no part of it; that shows in the
 * rates of a schedule over all epochs.
 *
 * @param settings of the trainer, the model and the data, by name
 * @param rates the learning rate at the end of each epoch
 */
record TrainingPlan(Map<String, String> settings, List<Double> rates) {
    static TrainingPlan of(Trainer trainer, Learner learner, long batches) {
        Map<String, String> settings = new LinkedHashMap<>(trainer.settings());
        settings.putAll(learner.settings());
        List<Double> rates = LongStream.rangeClosed(1, trainer.epochs())
                .mapToObj(epoch -> trainer.learningRate(epoch * batches - 1, batches * trainer.epochs()))
                .toList();
        return new TrainingPlan(settings, rates);
    }

    /** The first thing in which a training now differs, with both values; null when there is none. */
    String difference(TrainingPlan now) {
        if (settings.isEmpty()) return "it does not say of which, as those of elman's first snapshots do not";
        Set<String> names = new LinkedHashSet<>(now.settings.keySet());
        names.addAll(settings.keySet());
        for (String name : names) {
            if (!Objects.equals(settings.get(name), now.settings.get(name))) {
                return name + " was " + settings.get(name) + ", but is " + now.settings.get(name);
            }
        }
        for (int epoch = 0; epoch < Math.min(rates.size(), now.rates.size()); epoch++) {
            if (!rates.get(epoch).equals(now.rates.get(epoch))) {
                return "the learning rate at the end of epoch " + (epoch + 1) + " of " + rates.size() + " was "
                        + rates.get(epoch) + ", but at the end of epoch " + (epoch + 1) + " of " + now.rates.size()
                        + " it is " + now.rates.get(epoch);
            }
        }
        return null;
    }
}
