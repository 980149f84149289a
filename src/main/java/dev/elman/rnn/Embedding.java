package dev.elman.rnn;

import dev.elman.backend.Backend;
import dev.elman.backend.Buffer;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Parameters;
import dev.elman.backend.Shape;
import dev.elman.backend.ShapeMismatchException;
import dev.elman.backend.Tensor;
import java.util.List;
import java.util.Random;

/** A row of a table [V,D] for each id. */
public final class Embedding implements AutoCloseable {
    static final String TABLE = ".table";

    private final Backend backend;
    private final Tensor table;
    private final Tensor dTable;
    private final Buffer y;
    private IntTensor ids;

    /** The parameters that an embedding of this name needs: {@code name.table} [V,D]. */
    public static List<Parameters.Spec> specs(String name, int vocabulary, int size) {
        return List.of(new Parameters.Spec(name + TABLE, Shape.of(vocabulary, size)));
    }

    /**
     * An embedding over views of {@code weights} and {@code gradients}, whose owner closes them; the gradients may be null for
     * a layer that is never run back.
     */
    public Embedding(Backend backend, String name, Parameters weights, Parameters gradients) {
        this.backend = backend;
        this.table = weights.get(name + TABLE);
        this.dTable = gradients == null ? null : gradients.get(name + TABLE);
        this.y = new Buffer(backend);
    }

    /** Draws the table anew; Keras takes uniform(0.05), PyTorch normal(1). */
    public void initialize(Initializer initializer, Random random) {
        table.set(initializer.values(table.shape().extent(0), table.shape().extent(1), random));
    }

    /**
     * y [T,N,D] for ids [T,N]; the caller has checked that 0 &lt;= id &lt; V.
     *
     * @throws ShapeMismatchException when the ids are not [T,N]
     */
    public Tensor forward(IntTensor ids) {
        if (ids.shape().rank() != 2) {
            throw new ShapeMismatchException("Embedding.forward", "ids", "[T,N]", ids.shape());
        }
        this.ids = ids;
        Tensor out = y.of(Shape.of(
                ids.shape().extent(0), ids.shape().extent(1), table.shape().extent(1)));
        backend.embeddingForward(table, ids, out);
        return out;
    }

    /**
     * Adds to the table's gradient.
     *
     * @throws IllegalStateException when there was no forward pass to go back through, or the layer has no gradients
     */
    public void backward(Tensor dy) {
        WayBack.requireGradients("Embedding.backward", dTable);
        WayBack.requireForward("Embedding.backward", ids);
        backend.embeddingBackward(ids, dy, dTable);
    }

    @Override
    public void close() {
        y.close();
    }
}
