package dev.elman.backend;

/**
 * One place to compute: the reference, a CPU, a GPU. Speaks of layers, so that a backend may run a whole sequence in one
 * kernel. What each operation means is written here; the reference backend is the same in code.
 *
 * <p>Tensors of one call belong to this backend and do not overlap unless the method says they may. Gradients of
 * parameters are added to, gradients of data are overwritten. "[M,D]" takes any rank whose last extent is D. All methods
 * throw {@link ShapeMismatchException} when shapes do not fit and {@link IllegalArgumentException} for a tensor of another
 * backend, before anything is written, and {@link IllegalStateException} after {@link #close}, but what a backend says of
 * itself, without a tensor, it says then too. Where there is no memory they throw {@link OutOfMemoryError}, and
 * {@link OutOfDeviceMemoryException} for that of a device. Numbers that are not finite pass through, they are not errors.
 *
 * <p>Same calls, same backend, same kind of device: same bits, unless a device has no place for a plan and another runs.
 *
 * <p>A CUDA backend is for the thread that opened it and refuses others. On the others any thread may call, as long as none writes
 * or closes what another is using.
 */
public interface Backend extends AutoCloseable {
    /** {@code reference}, {@code cpu} or {@code cuda}. */
    String name();

    /** One line for people: device, precision, libraries, threads. */
    String description();

    /**
     * Largest relative error of one rounding: 2^-53 in double, 2^-24 in float32, 2^-10 where products cut float32 to TF32.
     * Tolerances are multiples of it.
     */
    double unitRoundoff();

    /**
     * Whether the states of a sequence that is run step by step have the bits of those of the whole. Where a library chooses
     * the order of a sum by the number of rows, they differ by roundings.
     */
    default boolean sameBitsByStep() {
        return true;
    }

    /**
     * How this backend would run a recurrence of these sizes, and why: what {@code bench} prints.
     *
     * @param directions of the layer, 1 or 2
     * @param backward whether back or forward
     * @throws IllegalArgumentException when a setting names a plan that cannot run it
     */
    default RecurrenceChoice recurrence(int n, int t, int d, int h, int directions, boolean backward) {
        return new RecurrenceChoice(name(), "it has one way for all");
    }

    /** New memory, filled with zeros. */
    Tensor allocate(Shape shape);

    /** New memory, filled with zeros. */
    IntTensor allocateInts(Shape shape);

    /** How many allocations are not closed yet. */
    int liveTensors();

    /** Frees what is left, and logs how much that was if it was anything. A second call does nothing. */
    @Override
    void close();

    // ---- whole tensors

    /** Sets every element of y to {@code value}. */
    void fill(Tensor y, double value);

    /** y = x; same size. */
    void copy(Tensor x, Tensor y);

    /** y += alpha x; same size. */
    void axpy(double alpha, Tensor x, Tensor y);

    /** y = a * b, element by element; same size, and y may be one of them. */
    void multiply(Tensor a, Tensor b, Tensor y);

    /** Copies {@code columns} columns of x [M,A], from column {@code fromX} on, into y [M,B] from column {@code fromY} on. */
    void copyColumns(Tensor x, int fromX, Tensor y, int fromY, int columns);

    /** y [M,C] = x [M,C] in the rows whose {@code keep} [M] is not 0, and 0 in the others; y may be x. */
    void maskRows(Tensor x, IntTensor keep, Tensor y);

    /**
     * seen [T,N] = 1 where the row of {@code mask} [T,N] has met a live step by then, else 0; from step 0 on, or in reverse
     * from step T-1 on.
     */
    void seenSteps(IntTensor mask, boolean reverse, IntTensor seen);

    // ---- layers

    /**
     * Elman's recurrence over a whole sequence: h_t = activation(x_t Wx + (m * h_before) Wh + b), see {@link SimpleRnnPass}
     * for the order, the masks, and the factors m [N,H] of recurrent dropout, all 1 without. T = 1 is a single step;
     * running a sequence step by step over slices gives the same numbers, and the same bits where {@link
     * #sameBitsByStep} says so. Of a dropped channel Wh sees 0; but plans of a GPU that walk all steps in one launch
     * multiply by 0, so where that channel is infinite or NaN the row becomes NaN.
     */
    void simpleRnnForward(SimpleRnnForward one);

    /**
     * Back-propagation through time (Werbos 1990). With g_t the gradient that reaches the state after step t from the
     * layers above and from the steps that ran later: da_t = g_t * activation'(h_t), and m * (da_t Wh^T) is added to the
     * gradient of the state before. A masked step has da = 0 and hands g on unchanged. Running back step by step over slices
     * gives the same bits in dh.
     */
    void simpleRnnBackward(SimpleRnnBackward one);

    /**
     * Both directions of a layer forward: as {@link #simpleRnnForward} of each, to the contract's tolerance and perhaps at the
     * same time. Neither writes what the other reads or writes.
     *
     * @param one has the other's activation, mask, T, N, D and H, and runs the other way
     * @throws IllegalArgumentException when the two do not fit each other
     */
    void bidirectionalForward(SimpleRnnForward one, SimpleRnnForward other);

    /**
     * Both directions of a layer on the way back: as {@link #simpleRnnBackward} of each, to the contract's tolerance and
     * perhaps at the same time. Neither writes what the other reads or writes; each dx is its own direction's, and the caller
     * adds them.
     *
     * @param one fits the other as in {@link #bidirectionalForward}
     * @throws IllegalArgumentException when the two do not fit each other
     */
    void bidirectionalBackward(SimpleRnnBackward one, SimpleRnnBackward other);

    /** y [M,D] = the rows of {@code table} [V,D] that {@code ids} [M] name; the caller has checked that 0 &lt;= id &lt; V. */
    void embeddingForward(Tensor table, IntTensor ids, Tensor y);

    /** For every m, adds row m of dy [M,D] to row ids[m] of {@code dTable} [V,D], in a fixed order. */
    void embeddingBackward(IntTensor ids, Tensor dy, Tensor dTable);

    /** y [M,K] = x [M,D] w [D,K] + b [K]; b may be null. */
    void denseForward(Tensor x, Tensor w, Tensor b, Tensor y);

    /**
     * dx [M,D] = dy [M,K] w^T (null where nobody asks), dw [D,K] += x^T dy, db [K] += the sum of dy's rows (null for a
     * layer without bias).
     */
    void denseBackward(Tensor x, Tensor w, Tensor dy, Tensor dx, Tensor dw, Tensor db);

    /**
     * y [M,K] = x [M,D] w^T + b [K] with w [K,D], as torch.nn.Linear keeps it; b may be null. An embedding's table is such a
     * w, for an output that shares it.
     */
    void linearForward(Tensor x, Tensor w, Tensor b, Tensor y);

    /**
     * dx [M,D] = dy [M,K] w (null where nobody asks), dw [K,D] += dy^T x, db [K] += the sum of dy's rows (null for a layer
     * without bias).
     */
    void linearBackward(Tensor x, Tensor w, Tensor dy, Tensor dx, Tensor dw, Tensor db);

    /**
     * One vector for each row of x [T,N,C], over the steps whose mask is not 0.
     *
     * @param mask [T,N], or null when every step is live
     * @param y [N,C], overwritten
     * @param argmax [N,C], overwritten with the step that gave the maximum, -1 in a row without a live step; for
     *     {@link Pooling#MAX} only, null otherwise
     */
    void poolForward(Pooling pooling, Tensor x, IntTensor mask, Tensor y, IntTensor argmax);

    /** dx [T,N,C], overwritten: the gradient of {@link #poolForward} at dy [N,C]. */
    void poolBackward(Pooling pooling, Tensor dy, IntTensor mask, IntTensor argmax, Tensor dx);

    /**
     * y = x with some elements 0 and the others scaled, see {@link Dropout}; y may be x. The gradient is the same call on
     * dy.
     *
     * @param x [T,N,C], or [N,C], which counts as T = 1
     */
    void dropout(Dropout dropout, Tensor x, Tensor y);

    /** Probabilities: each row of y [M,K] = softmax of that row of x [M,K]; y may be x. */
    void softmax(Tensor x, Tensor y);

    /**
     * Loss and its gradient in one pass. For row m with label k the loss is the cross-entropy of softmax(logits_m) against
     * (1 - smoothing) onehot(k) + smoothing / K (Szegedy et al. 2016). A row with a negative label takes no part.
     *
     * @param logits [M,K]
     * @param labels [M], below K; the caller has checked that
     * @param scale factor of both loss and gradient; 1 / M gives the mean
     * @param metrics [2], overwritten: {scale * sum of losses, number of rows whose largest logit, the first of equal
     *     ones, is the label's}
     * @param dLogits [M,K], overwritten; may be logits
     */
    void softmaxCrossEntropy(
            Tensor logits, IntTensor labels, double smoothing, double scale, Tensor metrics, Tensor dLogits);

    // ---- training

    /** Clamps every element of g into [-limit, limit]. */
    void clipValue(Tensor g, double limit);

    /**
     * Scales g by min(1, maxNorm / norm), where norm is its Euclidean norm (Pascanu et al. 2013).
     *
     * @param maxNorm positive; infinity only measures
     * @param norm [1], overwritten with the norm before clipping
     */
    void clipGlobalNorm(Tensor g, double maxNorm, Tensor norm);

    /** g += l1 * sign(w) + 2 * l2 * w, the gradient of l1 * sum |w| + l2 * sum w²; same size. */
    void addPenaltyGradient(Tensor w, double l1, double l2, Tensor g);

    /** Puts w [D,K], or [K] as one column, within its limits; see {@link Constraint}. */
    void constrain(Constraint constraint, Tensor w);

    /** Updates w from its gradient g; {@code velocity} may be null when the momentum is 0. All of one size. */
    void sgdStep(SgdStep step, Tensor w, Tensor g, Tensor velocity);

    /** Updates w and both moments from its gradient g. All of one size. */
    void adamStep(AdamStep step, Tensor w, Tensor g, Tensor m, Tensor v);
}
