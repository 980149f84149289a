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

    public int rank() {
        return extents.length;
    }

    /** Extent of an axis; negative axes count from the end, -1 is the last. */
    public int extent(int axis) {
        return extents[axis < 0 ? extents.length + axis : axis];
    }

    /** Number of elements; 1 for rank 0. */
    public long size() {
        long size = 1;
        for (int extent : extents) size = Math.multiplyExact(size, (long) extent);
        return size;
    }

    /** Number of elements of one entry along the first axis. */
    public long rowSize() {
        long size = 1;
        for (int axis = 1; axis < extents.length; axis++) size = Math.multiplyExact(size, (long) extents[axis]);
        return size;
    }

    /** This shape with another extent along the first axis. */
    public Shape withFirst(int extent) {
        int[] changed = extents.clone();
        changed[0] = extent;
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
