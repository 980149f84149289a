package dev.elman.peers;

/**
 * One implementation of the layer h_t = tanh(x_t Wx + h_(t-1) Wh + b), h_0 = 0, in float32. Its class has a public
 * constructor without arguments.
 *
 * <p>{@link #prepare} is called once for a problem, then {@link #forward} or {@link #forwardBackward} many times; these
 * two alone are timed. To convert inputs to the library's own type and to allocate belongs into prepare, to convert
 * results into outputs. All work is done when a timed call returns, and memory does not grow from call to call.
 */
public interface Peer {
    /** Version and threads in one line, asked of the library itself where it tells. */
    String describe() throws Exception;

    /** Whether the library has a backward pass. */
    default boolean trains() {
        return true;
    }

    /** Takes in a problem, and frees what the one before needed. */
    void prepare(Problem problem) throws Exception;

    /** Computes y. */
    void forward() throws Exception;

    /** Computes y, then dx, dWx, dWh and db for the problem's dL/dy. */
    default void forwardBackward() throws Exception {
        throw new UnsupportedOperationException();
    }

    /** The results of the latest call. */
    Outputs outputs() throws Exception;
}
