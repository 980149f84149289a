package dev.elman.io;

import java.io.FileOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.util.EnumSet;
import java.util.Set;
import java.util.UUID;

/**
 * Replaces a file in one step: the new content goes to a temporary file in the same folder, from there to the disk, and
 * takes the old one's name only then. After a failure the old file is as it was and the temporary one is gone. For the
 * writers of all formats, here and in {@code convert}.
 */
public final class AtomicFile {
    /** What writes the content. */
    public interface Content {
        /** Writes all of it, and may close the stream. An exception leaves the old file as it was. */
        void writeTo(OutputStream out) throws IOException;
    }

    /** Makes a file that does not exist yet; a test's may fail, then or later. */
    interface Opener {
        OutputStream open(Path file) throws IOException;
    }

    static final Opener DISK = file -> new FileStream(Files.createFile(file));

    private static final Set<PosixFilePermission> OF_GROUP = EnumSet.of(
            PosixFilePermission.GROUP_READ, PosixFilePermission.GROUP_WRITE, PosixFilePermission.GROUP_EXECUTE);

    private AtomicFile() {}

    /**
     * Writes a file whole or not at all: an old one of that name is replaced in one step, once the new one is on the disk,
     * and who may read and write it stays as it was. An interrupt does not end the writing.
     *
     * @throws ModelFileException if that fails; the old file is then as it was, and nothing is left behind
     */
    public static void replace(Path file, Content content) throws ModelFileException {
        replace(file, DISK, content);
    }

    /**
     * The file that {@link #replace} would write: where there is a link of that name, the one that it leads to.
     *
     * @throws IOException when the link leads to nothing
     */
    public static Path target(Path file) throws IOException {
        return Files.isSymbolicLink(file) ? file.toRealPath() : file.toAbsolutePath();
    }

    static void replace(Path file, Opener opener, Content content) throws ModelFileException {
        try {
            replaceTarget(target(file), opener, content);
        } catch (IOException e) {
            Path folder = file.toAbsolutePath().getParent();
            if (folder != null && Files.notExists(folder)) {
                throw new ModelFileException(
                        file, "writing", "a folder to write into", "no folder " + folder, "Make it", e);
            }
            throw new ModelFileException(
                    file,
                    "writing",
                    "to write and rename a temporary file in the same folder",
                    WholeFile.reason(e),
                    "Make room or choose another folder; the file is as it was before",
                    e);
        }
    }

    private static void replaceTarget(Path target, Opener opener, Content content) throws IOException {
        if (Files.exists(target) && !Files.isRegularFile(target)) {
            throw new FileSystemException(target.toString(), null, "there is something that is not a file");
        }
        Path temporary = target.resolveSibling("." + UUID.randomUUID() + ".tmp");
        try {
            try (OutputStream out = opener.open(temporary)) {
                copyPermissions(target, temporary);
                content.writeTo(out);
            }
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (Throwable e) {
            try {
                Files.deleteIfExists(temporary);
            } catch (IOException undeleted) {
                e.addSuppressed(undeleted);
            }
            throw e;
        }
        forceFolder(target.getParent());
    }

    /** Before anything is written, so that nobody reads it who may not. */
    private static void copyPermissions(Path from, Path to) throws IOException {
        PosixFileAttributeView view = Files.getFileAttributeView(to, PosixFileAttributeView.class);
        if (view == null || Files.notExists(from)) return;
        PosixFileAttributes old = Files.readAttributes(from, PosixFileAttributes.class);
        Set<PosixFilePermission> permissions = EnumSet.noneOf(PosixFilePermission.class);
        permissions.addAll(old.permissions());
        PosixFileAttributes now = view.readAttributes();
        if (!old.group().equals(now.group())) {
            try {
                view.setGroup(old.group());
            } catch (IOException notOurs) {
                // Else another group could read it.
                permissions.removeAll(OF_GROUP);
            }
        }
        if (!permissions.equals(now.permissions())) view.setPermissions(permissions);
    }

    /** Puts the new name on the disk. Not every system opens folders; the file is complete without it. */
    private static void forceFolder(Path folder) {
        // Only a channel opens a folder, and a channel does nothing for a thread that was interrupted.
        boolean interrupted = Thread.interrupted();
        try (FileChannel channel = FileChannel.open(folder)) {
            channel.force(true);
        } catch (IOException e) {
            System.getLogger(AtomicFile.class.getName()).log(System.Logger.Level.DEBUG, "not forced: " + folder, e);
        } finally {
            if (interrupted) Thread.currentThread().interrupt();
        }
    }

    /** A file on the disk: a stream that no interrupt closes, as one of a channel would be; or one in an archive or the like. */
    static class FileStream extends FilterOutputStream {
        /** For larger writes the JDK takes as large a buffer outside the heap. */
        private static final int CHUNK = 1 << 16;

        FileStream(Path file) throws IOException {
            super(
                    file.getFileSystem() == FileSystems.getDefault()
                            ? new FileOutputStream(file.toFile())
                            : Files.newOutputStream(file));
        }

        @Override
        public void write(byte[] bytes, int from, int count) throws IOException {
            for (int done = 0; done < count; ) {
                int part = Math.min(CHUNK, count - done);
                out.write(bytes, from + done, part);
                done += part;
            }
        }

        /** Returns once all bytes written are on the disk; a second time there is nothing to do. */
        @Override
        public void close() throws IOException {
            try (OutputStream closing = out) {
                if (closing instanceof FileOutputStream file && file.getFD().valid()) {
                    file.getFD().sync();
                }
            }
        }
    }
}
