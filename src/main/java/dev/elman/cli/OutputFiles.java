package dev.elman.cli;

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
        Path folder = file.toAbsolutePath().getParent();
        if (!Files.isDirectory(folder)) throw new UserException(file + ": there is no folder " + folder);
        if (!Files.isWritable(folder))
            throw new UserException(file + ": the folder " + folder + " cannot be written to");
    }
}
