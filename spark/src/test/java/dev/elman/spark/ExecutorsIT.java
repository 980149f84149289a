package dev.elman.spark;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;

/** Executors that have not what the driver has. */
class ExecutorsIT {
    private static String refused(List<String> jars) throws Exception {
        try (SparkSession spark = SparkHome.started(SparkHome.cluster(jars))) {
            return assertThrows(
                            IllegalStateException.class,
                            () -> Rows.classifier(2).fit(new Rows(20, 1).table(spark, 2)))
                    .getMessage();
        }
    }

    @Test
    void executorsWithoutElmanAreNamed() throws Exception {
        String message = refused(List.of());
        assertTrue(
                message.matches("(?s)Executor \\d+ on \\S+ cannot read .*: a jar is missing there, elman's or your .*"),
                message);
        assertTrue(message.contains("--packages dev.elman:elman-spark"), message);
    }

    @Test
    void executorsWithAnotherVersionAreNamed() throws Exception {
        List<String> jars = new ArrayList<>(SparkHome.userJars());
        String ours = jars.stream()
                .filter(jar -> jar.contains("elman-spark"))
                .findFirst()
                .orElseThrow();
        jars.set(jars.indexOf(ours), Jars.withVersion(Path.of(ours), "9.9"));
        String message = refused(jars);
        assertTrue(
                message.matches("(?s)Executor \\d+ on \\S+ has elman .* with elman-spark 9\\.9, but the driver has .*"),
                message);
    }
}
