package dev.elman.train;

/**
 * One line of a {@link History}.
 *
 * @param epoch counted from 1
 * @param loss mean over the epoch's targets while the weights moved, dropout and smoothing included
 * @param accuracy share of targets hit, likewise
 * @param validationLoss mean over the validation data at the epoch's end; NaN without
 * @param validationAccuracy likewise
 * @param gradientNorm mean of the norms with penalties, after clipValue and before clipNorm
 * @param learningRate of the epoch's last step
 * @param seconds that the epoch took, validation included
 */
public record EpochResult(
        int epoch,
        double loss,
        double accuracy,
        double validationLoss,
        double validationAccuracy,
        double gradientNorm,
        double learningRate,
        double seconds) {}
