package dev.elman.golden;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.elman.backend.Backend;
import dev.elman.contract.TestedBackend;
import dev.elman.io.SafeTensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every fixture, on every backend but the GPU. A fixture of a kind that nobody judges is a failure. */
class GoldenTest {

    @TestFactory
    Stream<DynamicContainer> fixtures() throws IOException {
        List<Path> files = files();
        return Stream.of(TestedBackend.values())
                .map(backend -> DynamicContainer.dynamicContainer(
                        backend.toString(), files.stream().map(file -> test(backend.toString(), backend::open, file))));
    }

    static DynamicTest test(String name, Supplier<Backend> opener, Path file) {
        return dynamicTest(name + ", " + file.getFileName(), () -> {
            try (Backend backend = opener.get()) {
                try (GoldenCase fixture = new GoldenCase(backend, SafeTensors.read(file))) {
                    judge(fixture);
                }
                assertEquals(0, backend.liveTensors());
            }
        });
    }

    private static void judge(GoldenCase fixture) {
        switch (fixture.text("operation")) {
            case "rnn" -> GoldenRnn.one(fixture);
            case "birnn" -> GoldenRnn.both(fixture);
            case "stack" -> new GoldenStack(fixture).run();
            case "embedding" -> GoldenLayers.embedding(fixture);
            case "dense" -> GoldenLayers.dense(fixture);
            case "pool_max", "pool_mean" -> GoldenLayers.pool(fixture);
            case "cross_entropy" -> GoldenLayers.crossEntropy(fixture);
            case "sgd" -> GoldenSteps.sgd(fixture);
            case "adam" -> GoldenSteps.adam(fixture);
            case "clip_norm" -> GoldenSteps.clipNorm(fixture);
            case "training" -> new GoldenTraining(fixture).run();
            default -> throw new AssertionError("Nobody judges fixtures of " + fixture.text("operation") + ".");
        }
    }

    static List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("src/test/resources/golden"))) {
            return files.sorted().toList();
        }
    }
}
