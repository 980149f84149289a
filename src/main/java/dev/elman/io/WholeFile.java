package dev.elman.io;

import java.io.EOFException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Files that are read whole, with their errors as this package words them. */
public final class WholeFile {
    private WholeFile() {}

    /**
     * All bytes of a file.
     *
     * @throws ModelFileException if it is missing, cannot be read, or is larger than the heap or an array
     */
    public static byte[] read(Path file) throws ModelFileException {
        requireFile(file);
        try {
            long size = Files.size(file);
            requireArray(file, "file", size);
            requireHeap(file, size);
            return Files.readAllBytes(file);
        } catch (ModelFileException e) {
            throw e;
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    static void requireFile(Path file) throws ModelFileException {
        if (Files.isRegularFile(file)) return;
        String found = Files.exists(file) ? "something else" : "nothing";
        throw new ModelFileException(file, "path", "a file", found, "Check the path");
    }

    /** Refuses what no array holds, however large the heap. */
    static void requireArray(Path file, String place, long bytes) throws ModelFileException {
        if (bytes > NdArray.MOST_BYTES) {
            throw new ModelFileException(
                    file,
                    place,
                    "at most " + NdArray.MOST_BYTES + " bytes, what a Java array holds",
                    bytes + " bytes",
                    "Write a smaller one");
        }
    }

    /** Refuses content of which a few copies would not fit into memory, before anything is allocated. */
    static void requireHeap(Path file, long bytes) throws ModelFileException {
        requireHeap(file, bytes, Runtime.getRuntime().maxMemory());
    }

    static void requireHeap(Path file, long bytes, long heap) throws ModelFileException {
        long most = heap / 3;
        if (bytes > most) {
            throw new ModelFileException(
                    file,
                    "file",
                    "at most " + most + " bytes of content, by the heap of " + heap,
                    "up to " + bytes,
                    "Start java with a larger -Xmx");
        }
    }

    /** Why a file could not be read or written, for people: the JDK's message is often the file's name and nothing else. */
    static String reason(IOException e) {
        if (e instanceof NoSuchFileException) return "no such file or folder";
        if (e instanceof AccessDeniedException) return "no permission";
        if (e instanceof FileSystemException failed && failed.getReason() != null) return failed.getReason();
        if (e instanceof EOFException) return "a file that became shorter while it was read";
        return e.getMessage() == null ? e.toString() : e.getMessage();
    }

    static ModelFileException unreadable(Path file, IOException e) {
        return new ModelFileException(
                file, "reading", "a readable file", reason(e), "Check the file's permissions and disk", e);
    }
}
