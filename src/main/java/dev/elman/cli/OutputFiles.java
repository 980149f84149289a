package dev.elman.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What can be said about a file that is to be written before the work is done that it is to hold. */
final class OutputFiles {
    private OutputFiles() {}

    /**
     * Checks that a file can be written into its folder.
     *
     * @throws UserException when it cannot, saying why
     */
    static void requireWritable(Path file) {
        if (Files.isDirectory(file)) throw new UserException(file + ": is a folder; name a file in it");
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw new UserException(file + ": is no file that could be replaced; name another");
        }
        Path folder = file.toAbsolutePath().getParent();
        if (!Files.isDirectory(folder)) throw new UserException(file + ": there is no folder " + folder);
        try {
            // Asking for permissions is not enough: a folder may be on a disk that takes no files, whoever asks.
            Files.delete(Files.createTempFile(folder, ".elman-", ".tmp"));
        } catch (IOException e) {
            throw new UserException(file + ": the folder " + folder + " cannot be written to");
        }
    }

    /**
     * Makes a folder, and those it lies in.
     *
     * @throws UserException when that is not possible
     */
    static void makeFolder(Path folder) {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new UserException(
                    folder + ": is no folder, and cannot be made one" + (Files.exists(folder) ? ": it is a file" : ""));
        }
    }
}
