package dev.elman.spark;

import dev.elman.train.SimpleRnnClassifier;
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

    /** Gives an empty file to {@code use}, and deletes it then. */
    static <T> T with(FileUse<T> use) throws IOException {
        Path file = Files.createTempFile("elman", ".safetensors");
        try {
            return use.with(file);
        } finally {
            Files.delete(file);
        }
    }

    /** What a model writes into its file. */
    static byte[] saved(SimpleRnnClassifier model) throws IOException {
        return with(file -> {
            model.save(file);
            return Files.readAllBytes(file);
        });
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
