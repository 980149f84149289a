package dev.elman.cli;

import dev.elman.io.AtomicFile;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;

/** What can be said about a file that is to be written before the work is done that it is to hold. */
final class OutputFiles {
    private OutputFiles() {}

    /**
     * Checks that a file can be written into its folder; of a link, into that of the file it leads to.
     *
     * @throws UserException when it cannot, saying why
     */
    static void requireWritable(Path file) {
        if (Files.isDirectory(file)) throw new UserException(file + ": is a folder; name a file in it");
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw new UserException(file + ": is no file that could be replaced; name another");
        }
        Path target = target(file);
        Path folder = target.getParent();
        if (!Files.isDirectory(folder)) throw new UserException(file + ": there is no folder " + folder);
        try {
            // Asking for permissions is not enough: a folder may be on a disk that takes no files, whoever asks.
            Files.delete(Files.createTempFile(folder, ".elman-", ".tmp"));
        } catch (IOException e) {
            throw new UserException(file + ": the folder " + folder + " cannot be written to");
        }
        try {
            // A name that the file system does not take, one that is too long for example, it does not look up either.
            Files.readAttributes(target, BasicFileAttributes.class);
        } catch (NoSuchFileException e) {
            // It is yet to be.
        } catch (IOException e) {
            throw new UserException(Failures.describe(e) + "; name another");
        }
    }

    private static Path target(Path file) {
        try {
            return AtomicFile.target(file);
        } catch (IOException e) {
            throw new UserException(file + ": is a link that leads to no file; remove it, or name another");
        }
    }

    /**
     * Makes a folder, and those it lies in.
     *
     * @throws UserException when that is not possible, saying why
     */
    static void makeFolder(Path folder) {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            String why = e instanceof FileAlreadyExistsException ? "it is a file" : Failures.describe(e);
            throw new UserException(
                    folder + ": is no folder, and cannot be made one: " + why + "; name another with --out");
        }
    }
}
