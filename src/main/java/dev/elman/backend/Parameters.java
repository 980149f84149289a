package dev.elman.backend;

import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * All parameters of a model as one flat tensor with named views, so that an optimizer is one call. Their gradients and an
 * optimizer's moments have the same type and the same places.
 */
public final class Parameters implements AutoCloseable {
    /** Each view begins at a multiple of this many elements (128 bytes), so that a GPU may read whole lines. */
    private static final int ALIGNMENT = 32;

    /** Name and shape of one parameter. */
    public record Spec(String name, Shape shape) {}

    private final Tensor flat;
    private final Map<String, Tensor> views;
    /** Whether {@link #close} closes the flat tensor. */
    private final boolean owner;

    private Parameters(Tensor flat, Map<String, Tensor> views, boolean owner) {
        this.flat = flat;
        this.views = Collections.unmodifiableMap(views);
        this.owner = owner;
    }

    /**
     * Parameters of these names and shapes, all 0; the gaps that alignment leaves stay 0.
     *
     * @throws IllegalArgumentException when a name comes twice, or all together are more than one tensor can hold
     */
    public static Parameters allocate(Backend backend, List<Spec> specs) {
        Map<String, Long> offsets = offsets(specs);
        Tensor flat = backend.allocate(Shape.of(size(specs)));
        return new Parameters(flat, views(flat, specs, offsets), true);
    }

    /**
     * The same twice: weights and their gradients, or neither where there is no memory for both.
     *
     * @throws IllegalArgumentException as {@link #allocate}
     */
    public static List<Parameters> allocatePair(Backend backend, List<Spec> specs) {
        Parameters first = allocate(backend, specs);
        try {
            return List.of(first, allocate(backend, specs));
        } catch (RuntimeException | Error e) {
            first.close();
            throw e;
        }
    }

    /**
     * Parameters of these names and shapes in memory that its owner closes: the {@link #flat} of others with the same specs,
     * or a copy of it. {@link #close} leaves it alone.
     *
     * @throws IllegalArgumentException when a name comes twice
     * @throws ShapeMismatchException when the memory has not the size that these specs take
     */
    public static Parameters over(Tensor flat, List<Spec> specs) {
        Map<String, Long> offsets = offsets(specs);
        if (flat.shape().size() != size(specs)) {
            throw new ShapeMismatchException(
                    "Parameters.over", "flat", "[" + size(specs) + "], gaps included", flat.shape());
        }
        return new Parameters(flat, views(flat, specs, offsets), false);
    }

    private static Map<String, Tensor> views(Tensor flat, List<Spec> specs, Map<String, Long> offsets) {
        Map<String, Tensor> views = new LinkedHashMap<>();
        for (Spec spec : specs) views.put(spec.name(), flat.view(offsets.get(spec.name()), spec.shape()));
        return views;
    }

    private static Map<String, Long> offsets(List<Spec> specs) {
        Map<String, Long> offsets = new HashMap<>();
        long offset = 0;
        for (Spec spec : specs) {
            if (offsets.put(spec.name(), offset) != null) {
                throw new IllegalArgumentException("Two parameters are named " + spec.name() + ".");
            }
            offset = next(offset, spec);
        }
        return offsets;
    }

    /**
     * Numbers of memory that parameters of these shapes take, gaps included.
     *
     * @throws IllegalArgumentException when they are more than a tensor holds
     */
    public static int size(List<Spec> specs) {
        long size = 0;
        for (Spec spec : specs) {
            size = next(size, spec);
            if (size > Integer.MAX_VALUE) {
                throw new IllegalArgumentException("Parameters: with " + spec.name() + " " + spec.shape()
                        + " there are more than the " + Integer.MAX_VALUE
                        + " numbers that one tensor holds. Take smaller sizes.");
            }
        }
        return (int) size;
    }

    private static long next(long offset, Spec spec) {
        return (offset + spec.shape().size() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    /** Everything in one row, gaps included. */
    public Tensor flat() {
        return flat;
    }

    /** Views by name, in the order they were given. */
    public Map<String, Tensor> views() {
        return views;
    }

    /**
     * The view of this name.
     *
     * @throws IllegalArgumentException when there is none
     */
    public Tensor get(String name) {
        Tensor view = views.get(name);
        if (view == null)
            throw new IllegalArgumentException("No parameter " + name + "; there are " + views.keySet() + ".");
        return view;
    }

    /** Number of parameters, gaps not counted. */
    public long count() {
        return views.values().stream().mapToLong(view -> view.shape().size()).sum();
    }

    @Override
    public void close() {
        if (owner) flat.close();
    }
}
