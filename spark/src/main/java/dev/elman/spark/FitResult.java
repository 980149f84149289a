package dev.elman.spark;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.util.ArrayList;

/**
 * What the first worker hands to the driver.
 *
 * @param attempt how often Spark had begun the workers again
 * @param failure why there is no model, or null: an error that would only come again is no reason for Spark to try again
 */
@SuppressWarnings("ArrayRecordComponent") // carried, never compared
record FitResult(
        byte[] modelFile, ArrayList<EpochSummary> epochs, ArrayList<String> workers, int attempt, String failure)
        implements Serializable {

    /** As bytes, which any serializer of Spark's carries. */
    byte[] toBytes() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(this);
        }
        return bytes.toByteArray();
    }

    static FitResult fromBytes(byte[] bytes) throws IOException {
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes))) {
            return (FitResult) in.readObject();
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(e);
        }
    }
}
