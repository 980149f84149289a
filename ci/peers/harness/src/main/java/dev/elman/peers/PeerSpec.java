package dev.elman.peers;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A line of {@code peers.conf}.
 *
 * @param root the folder of the modules, built
 * @param module the module whose class path the peer runs on
 * @param adapter the class that implements {@link Peer}
 * @param options for its JVM
 */
record PeerSpec(Path root, String name, String module, String adapter, List<String> options) {
    static List<PeerSpec> readAll(Path root) throws IOException {
        List<PeerSpec> specs = new ArrayList<>();
        for (String line : Files.readAllLines(root.resolve("peers.conf"))) {
            if (line.isBlank() || line.startsWith("#")) continue;
            String[] fields = line.split("\\|", -1);
            List<String> options =
                    fields[3].isBlank() ? List.of() : List.of(fields[3].trim().split("\\s+"));
            specs.add(new PeerSpec(root, fields[0].trim(), fields[1].trim(), fields[2].trim(), options));
        }
        return specs;
    }

    PeerSpec withOption(String option) {
        List<String> more = new ArrayList<>(options);
        more.add(option);
        return new PeerSpec(root, name, module, adapter, more);
    }

    /** A command that starts a main class on this peer's class path. */
    List<String> java(String main, String... arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options);
        command.addAll(List.of("-cp", classPath(), main));
        command.addAll(List.of(arguments));
        return command;
    }

    private String classPath() throws IOException {
        Path target = root.resolve(module).resolve("target");
        return String.join(
                File.pathSeparator,
                root.resolve("harness/target/classes").toString(),
                target.resolve("classes").toString(),
                target.resolve("jars/*").toString(),
                Files.readString(target.resolve("classpath.txt")).trim());
    }
}
