package dev.elman.spark;

import java.util.UUID;
import java.util.function.Supplier;
import org.apache.spark.SparkContext;

/** The jobs of a fit end with it when its thread is interrupted; Spark lets jobs run on that nobody waits for any more. */
final class InterruptibleJobs {
    private InterruptibleJobs() {}

    /** @throws IllegalStateException when the thread is interrupted, which it then is still */
    static <T> T run(SparkContext context, Supplier<T> fit) {
        String tag = "elman fit " + UUID.randomUUID();
        context.addJobTag(tag);
        try {
            return fit.get();
        } catch (Exception e) { // also InterruptedException, which Scala does not declare
            Throwable cause = e instanceof InterruptedException ? e : e.getCause();
            if (!(cause instanceof InterruptedException)) throw e;
            context.cancelJobsWithTag(tag);
            Thread.currentThread().interrupt(); // only now, for cleaning up waits, too
            throw new IllegalStateException("The fit was interrupted, and its jobs are cancelled.", cause);
        } finally {
            context.removeJobTag(tag);
        }
    }
}
