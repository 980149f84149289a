package dev.elman.spark;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.fs.FileSystem;

/** The core reads and writes files of this machine; here they come from elsewhere and go there. */
final class TempFiles {
    private TempFiles() {}

    /** Something that takes a file. */
    interface FileUse<T> {
        T with(Path file) throws IOException;
    }

    /** Gives a file with this content to {@code use}. */
    static <T> T reading(byte[] content, FileUse<T> use) throws IOException {
        Path file = Files.createTempFile("elman", ".safetensors");
        try {
            Files.write(file, content);
            return use.with(file);
        } finally {
            Files.delete(file);
        }
    }

    /** What {@code use} writes into the file that it is given. */
    static byte[] written(FileUse<Void> use) throws IOException {
        Path file = Files.createTempFile("elman", ".safetensors");
        try {
            use.with(file);
            return Files.readAllBytes(file);
        } finally {
            Files.delete(file);
        }
    }

    static void download(FileSystem files, org.apache.hadoop.fs.Path from, Path to) throws IOException {
        try (InputStream in = files.open(from);
                OutputStream out = Files.newOutputStream(to)) {
            in.transferTo(out);
        }
    }

    static void upload(Path from, FileSystem files, org.apache.hadoop.fs.Path to) throws IOException {
        try (InputStream in = Files.newInputStream(from);
                OutputStream out = files.create(to, true)) {
            in.transferTo(out);
        }
    }
}
