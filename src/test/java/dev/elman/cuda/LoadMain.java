package dev.elman.cuda;

import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Loads native code while somebody makes a temporary file, makes one later, and loads again where there is no folder for it. */
final class LoadMain {
    private LoadMain() {}

    public static void main(String[] args) throws IOException {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        String from = load();
        Files.delete(File.createTempFile("later", null).toPath());
        // Which must be empty.
        Files.delete(Path.of(System.getProperty("java.io.tmpdir")));
        out.println("loaded: " + from + ", " + from.equals(load()));
    }

    private static String load() {
        return NativeCode.load("JCudaDriver", Binding.class.getName(), reason -> reason);
    }

    /** Stands for another thread. */
    private static final class Binding {
        static {
            try {
                Files.delete(File.createTempFile("meanwhile", null).toPath());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
