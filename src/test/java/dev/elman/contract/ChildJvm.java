package dev.elman.contract;

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
 * Another JVM with another environment: native code is loaded once in a process, a heap has one size, and a device fault is
 * there to stay.
 *
 * @param classPath its class path
 * @param environment what differs from ours; an empty value removes the variable
 * @param options of the java command
 */
public record ChildJvm(String classPath, Map<String, String> environment, List<String> options) {
    private static final int SECONDS = 120;
    private static final String CLASS_PATH = System.getProperty("java.class.path");

    /** Ours but for this, and with these system properties. */
    public static ChildJvm like(Map<String, String> environment, Map<String, String> properties) {
        List<String> options = new ArrayList<>(List.of("-Xmx512m", "-XX:+UseSerialGC"));
        properties.forEach((name, value) -> options.add("-D" + name + "=" + value));
        return new ChildJvm(CLASS_PATH, environment, options);
    }

    public static ChildJvm with(String... options) {
        return new ChildJvm(CLASS_PATH, Map.of(), List.of(options));
    }

    /** One that lets no native code in, for these tests. */
    public static ChildJvm withoutNativeAccess(String tests) {
        int java = Runtime.version().feature();
        Required.that(java >= 24, "java-24", tests, "Java " + java + " cannot be told to let no native code in");
        return with("--illegal-native-access=deny");
    }

    /** With a collector of whose heap an array may take any part. */
    public static ChildJvm withHeap(int megabytes) {
        return with("-Xmx" + megabytes + "m", "-XX:+UseG1GC", "--enable-native-access=ALL-UNNAMED");
    }

    /** Without the jars whose path contains {@code name}. */
    public ChildJvm without(String name) {
        return new ChildJvm(
                Arrays.stream(classPath.split(File.pathSeparator, -1))
                        .filter(entry -> !entry.contains(name))
                        .collect(Collectors.joining(File.pathSeparator)),
                environment,
                options);
    }

    /** With this folder before everything else; what it runs of shipped kernels is not counted, for they may be others. */
    public ChildJvm before(Path folder) {
        Map<String, String> uncounted = new HashMap<>(environment);
        uncounted.put("SOFTGPU_COVERAGE", "");
        return new ChildJvm(folder + File.pathSeparator + classPath, uncounted, options);
    }

    /** What runs the class, its errors with its output. */
    public ProcessBuilder command(Class<?> main, String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-XX:TieredStopAtLevel=1"); // it lives for seconds
        command.addAll(options);
        command.addAll(List.of("-cp", classPath, main.getName()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        environment.forEach((name, value) -> {
            if (value.isEmpty()) builder.environment().remove(name);
            else builder.environment().put(name, value);
        });
        return builder;
    }

    /** Runs the class and returns what it printed, errors included. */
    public String run(Class<?> main, String... arguments) throws IOException, InterruptedException {
        Path output = Files.createTempFile("elman-child", ".log");
        try {
            Process process =
                    command(main, arguments).redirectOutput(output.toFile()).start();
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
