package dev.elman.cuda;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * Another JVM with another environment: native code is loaded once in a process, and a device fault is there to stay.
 *
 * @param classPath its class path
 * @param environment what differs from ours; an empty value removes the variable
 * @param properties its system properties
 */
public record ChildJvm(String classPath, Map<String, String> environment, Map<String, String> properties) {
    private static final int SECONDS = 120;

    public static ChildJvm like(Map<String, String> environment, Map<String, String> properties) {
        return new ChildJvm(System.getProperty("java.class.path"), environment, properties);
    }

    /** Without the jars whose path contains {@code name}. */
    ChildJvm without(String name) {
        return new ChildJvm(
                Arrays.stream(classPath.split(File.pathSeparator, -1))
                        .filter(entry -> !entry.contains(name))
                        .collect(Collectors.joining(File.pathSeparator)),
                environment,
                properties);
    }

    /** With this folder before everything else; what it runs of shipped kernels is not counted, for they may be others. */
    public ChildJvm before(Path folder) {
        Map<String, String> uncounted = new HashMap<>(environment);
        uncounted.put("SOFTGPU_COVERAGE", "");
        return new ChildJvm(folder + File.pathSeparator + classPath, uncounted, properties);
    }

    /** Runs the class and returns what it printed, errors included. */
    public String run(Class<?> main) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")); // it lives for seconds
        properties.forEach((name, value) -> command.add("-D" + name + "=" + value));
        command.add("-cp");
        command.add(classPath);
        command.add(main.getName());
        Path output = Files.createTempFile("elman-child", ".log");
        try {
            ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
            builder.redirectOutput(output.toFile());
            environment.forEach((name, value) -> {
                if (value.isEmpty()) builder.environment().remove(name);
                else builder.environment().put(name, value);
            });
            Process process = builder.start();
            if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IOException("no end after " + SECONDS + " s: " + Files.readString(output));
            }
            return Files.readString(output, StandardCharsets.UTF_8);
        } finally {
            Files.deleteIfExists(output);
        }
    }
}
