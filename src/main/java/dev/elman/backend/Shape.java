package dev.elman.backend;

import java.util.Arrays;
import java.util.stream.Collectors;

/** The extents of a tensor, outermost first; row-major, the last one runs fastest. Extents may be 0. */
public final class Shape {
    private final int[] extents;

    private Shape(int[] extents) {
        this.extents = extents;
    }

    /**
     * A shape of these extents.
     *
     * @throws IllegalArgumentException when one is negative
     */
    public static Shape of(int... extents) {
        Shape shape = new Shape(extents.clone());
        for (int extent : extents) {
            if (extent < 0) throw new IllegalArgumentException("A shape needs extents >= 0, but is " + shape + ".");
        }
        return shape;
    }

    /** How many extents there are; 0 for the shape of a scalar, {@code []}. */
    public int rank() {
        return extents.length;
    }

    /**
     * Extent of an axis; negative axes count from the end, -1 is the last.
     *
     * @throws IndexOutOfBoundsException when there is no such axis
     */
    public int extent(int axis) {
        return extents[index(axis)];
    }

    private int index(int axis) {
        int index = axis < 0 ? extents.length + axis : axis;
        if (index >= 0 && index < extents.length) return index;
        throw new IndexOutOfBoundsException("The shape " + this + " has no axis " + axis + ".");
    }

    /** All extents, in their order. */
    public long[] extents() {
        return Arrays.stream(extents).asLongStream().toArray();
    }

    /**
     * Number of elements; 1 for rank 0.
     *
     * @throws IllegalArgumentException when it is more than a long can count
     */
    public long size() {
        return product(0);
    }

    /** Number of elements of one entry along the first axis. */
    public long rowSize() {
        return product(1);
    }

    private long product(int from) {
        long product = 1;
        for (int axis = from; axis < extents.length; axis++) {
            if (Math.multiplyHigh(product, (long) extents[axis]) != 0 || product * extents[axis] < 0) {
                throw new IllegalArgumentException(
                        "A shape must have less than 2^63 elements, but " + this + " has more. Take smaller sizes.");
            }
            product *= extents[axis];
        }
        return product;
    }

    /** This shape with another extent along the first axis; throws as {@link #extent}. */
    public Shape withFirst(int extent) {
        return with(0, extent);
    }

    /** This shape with another extent along the last axis; throws as {@link #extent}. */
    public Shape withLast(int extent) {
        return with(-1, extent);
    }

    private Shape with(int axis, int extent) {
        int[] changed = extents.clone();
        changed[index(axis)] = extent;
        return of(changed);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Shape shape && Arrays.equals(extents, shape.extents);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(extents);
    }

    /** As in messages: {@code [7,3,5]}. */
    @Override
    public String toString() {
        return Arrays.stream(extents).mapToObj(String::valueOf).collect(Collectors.joining(",", "[", "]"));
    }
}
