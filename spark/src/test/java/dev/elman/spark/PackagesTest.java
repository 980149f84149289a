package dev.elman.spark;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.apache.ivy.core.settings.IvySettings;
import org.apache.spark.util.MavenUtils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import scala.Option;
import scala.jdk.javaapi.CollectionConverters;

/** What spark-submit's --packages, which {@link ExecutorCheck} recommends, makes of elman's pom. */
class PackagesTest {
    @Test
    void openBlasComesWithAllItNeeds(@TempDir Path folder) {
        IvySettings settings =
                MavenUtils.buildIvySettings(Option.empty(), Option.apply(folder.toString()), true, System.err);
        String version = ExecutorCheck.version().split(" ", 2)[0];
        List<String> jars = CollectionConverters.asJava(MavenUtils.resolveMavenCoordinates(
                "dev.elman:elman:" + version,
                settings,
                Option.empty(),
                true,
                CollectionConverters.asScala(List.<String>of()).toSeq(),
                false,
                System.err));
        for (String artifact : List.of("openblas", "javacpp")) {
            for (String end : List.of(".jar", "-linux-x86_64.jar")) {
                assertTrue(
                        jars.stream().anyMatch(jar -> jar.matches(".*_" + artifact + "-[\\d.-]*\\d" + end)),
                        artifact + end + " in " + jars);
            }
        }
    }
}
