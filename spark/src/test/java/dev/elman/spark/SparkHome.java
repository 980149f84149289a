package dev.elman.spark;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.SparkSession;

/**
 * A cluster of two executor processes on this machine, out of nothing but the class path: SPARK_HOME, as the build sets it,
 * becomes a folder whose jars are links to Spark's; elman's own go to the executors as a user's jars do.
 */
final class SparkHome {
    /** Spark's setting of options for the executors' JVMs. */
    static final String EXECUTOR_OPTIONS = "spark.executor.defaultJavaOptions";

    private static final Path HOME = Path.of(System.getenv("SPARK_HOME"));

    private SparkHome() {}

    /** Whether a jar is what a user brings, and not part of Spark. */
    private static boolean users(String path) {
        String jar = Path.of(path).getFileName().toString();
        return jar.contains("elman") || jar.contains("javacpp") || jar.contains("openblas") || jar.contains("jcu");
    }

    private static List<String> classPath() {
        return List.of(System.getProperty("java.class.path").split(File.pathSeparator));
    }

    /** elman's jars, this build's and the tests' classes among them. */
    static List<String> userJars() throws IOException {
        List<String> jars = new ArrayList<>();
        for (String entry : classPath()) {
            if (Files.isDirectory(Path.of(entry))) jars.add(Jars.of(Path.of(entry)));
            else if (users(entry)) jars.add(entry);
        }
        return jars;
    }

    /** Settings of a session on {@code local-cluster[2,1,1024]}. */
    static SparkSession.Builder cluster(List<String> jars) throws IOException {
        Path links = Files.createDirectories(HOME.resolve("jars"));
        for (String entry : classPath()) {
            Path jar = Path.of(entry);
            Path link = links.resolve(jar.getFileName());
            boolean sparks = entry.endsWith(".jar") && !users(entry) && !entry.contains("junit");
            if (sparks && !Files.exists(link)) Files.createSymbolicLink(link, jar);
        }
        return SparkSession.builder()
                .master("local-cluster[2,1,1024]")
                .appName("elman")
                .config("spark.jars", String.join(",", jars))
                .config("spark.ui.enabled", false)
                .config("spark.sql.shuffle.partitions", 2)
                .config(EXECUTOR_OPTIONS, "-XX:+UseSerialGC -XX:TieredStopAtLevel=1") // they live for seconds
                .config("spark.driver.host", "127.0.0.1")
                .config("spark.driver.bindAddress", "127.0.0.1")
                .config("spark.network.timeout", "60s")
                .config("spark.executor.heartbeatInterval", "1s");
    }

    /** Waits until both executors are there. */
    static SparkSession started(SparkSession.Builder builder) throws InterruptedException {
        SparkSession spark = builder.getOrCreate();
        long deadline = System.nanoTime() + 60_000_000_000L;
        while (spark.sparkContext().statusTracker().getExecutorInfos().length < 3) {
            if (System.nanoTime() > deadline) throw new IllegalStateException("The executors do not come.");
            Thread.sleep(50);
        }
        return spark;
    }
}
