package dev.elman.spark;

import org.apache.spark.util.AccumulatorV2;

/** An accumulator that shows the value that was set last, such as a loss in Spark's UI. */
final class LatestValue extends AccumulatorV2<Double, Double> {
    private static final long serialVersionUID = 1L;

    private double value = Double.NaN;

    @Override
    public boolean isZero() {
        return Double.isNaN(value);
    }

    @Override
    public AccumulatorV2<Double, Double> copy() {
        LatestValue copy = new LatestValue();
        copy.value = value;
        return copy;
    }

    @Override
    public void reset() {
        value = Double.NaN;
    }

    @Override
    public void add(Double latest) {
        value = latest;
    }

    @Override
    public void merge(AccumulatorV2<Double, Double> other) {
        if (!other.isZero()) value = other.value();
    }

    @Override
    public Double value() {
        return value;
    }
}
