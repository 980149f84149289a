package dev.elman.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.contract.Required;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A save that fails, wherever it fails, loses nothing and leaves nothing. */
class AtomicFileTest {
    @TempDir
    Path folder;

    private Path file;
    private byte[] old;

    @BeforeEach
    void saveOnce() throws IOException {
        file = folder.resolve("model.safetensors");
        new SafeTensors(Map.of("old", NdArray.ofInts(new int[] {1}, 1)), Map.of()).write(file);
        old = Files.readAllBytes(file);
    }

    /** Fails after {@code room} bytes as a full disk does: what fits is written. */
    private static final class Narrow extends AtomicFile.FileStream {
        private long room;

        Narrow(Path file, long room) throws IOException {
            super(Files.createFile(file));
            this.room = room;
        }

        @Override
        public void write(byte[] bytes, int from, int count) throws IOException {
            int fits = (int) Math.min(room, count);
            super.write(bytes, from, fits);
            room -= fits;
            if (fits < count) throw new IOException("No space left on device");
        }

        @Override
        public void close() throws IOException {
            super.close();
            if (room == 0) throw new IOException("Input/output error");
        }
    }

    @Test
    void diskFullAfterAnyByteKeepsTheOldFile() throws IOException {
        Path whole = folder.resolve("whole");
        SafeTensorsTest.mixed().write(whole);
        long size = Files.size(whole);
        Files.delete(whole);
        for (long room = 0; room <= size; room++) { // with just enough room, closing fails
            long left = room;
            ModelFileException e = assertThrows(
                    ModelFileException.class,
                    () -> SafeTensorsWriter.write(SafeTensorsTest.mixed(), file, path -> new Narrow(path, left)));
            assertTrue(e.getMessage().contains(room == size ? "Input/output" : "No space left"), e::getMessage);
            assertIntact();
        }
    }

    @Test
    void realFullDeviceKeepsTheOldFile() throws IOException {
        Path full = Path.of("/dev/full");
        Required.that(Files.exists(full), "dev-full", "a full device", "there is no /dev/full here");
        ModelFileException e = assertThrows(
                ModelFileException.class,
                () -> SafeTensorsWriter.write(SafeTensorsTest.mixed(), file, path -> {
                    Files.createFile(path);
                    return new AtomicFile.FileStream(full);
                }));
        assertTrue(e.getMessage().contains("No space left"), e::getMessage);
        assertEquals(file.toString(), e.file());
        assertIntact();
    }

    /** A device takes bytes, but puts none on a disk. */
    @Test
    void whatDoesNotReachTheDiskReplacesNothing() throws IOException {
        Path full = Path.of("/dev/full");
        Required.that(Files.exists(full), "dev-full", "a device that is no disk", "there is no /dev/full here");
        ModelFileException e = assertThrows(
                ModelFileException.class,
                () -> AtomicFile.replace(
                        file,
                        path -> {
                            Files.createFile(path);
                            return new AtomicFile.FileStream(full);
                        },
                        out -> {}));
        assertTrue(e.getMessage().contains("sync failed"), e::getMessage);
        assertIntact();
    }

    @Test
    void errorsWhileWritingKeepTheOldFile() throws IOException {
        assertThrows(
                OutOfMemoryError.class,
                () -> AtomicFile.replace(file, AtomicFile.DISK, out -> {
                    throw new OutOfMemoryError("planted");
                }));
        assertIntact();
    }

    @Test
    void anInterruptEndsNeitherSavingNorReading() throws IOException {
        Thread.currentThread().interrupt();
        SafeTensors read;
        boolean still;
        try {
            SafeTensorsTest.mixed().write(file);
            read = SafeTensors.read(file);
        } finally {
            still = Thread.interrupted();
        }
        assertTrue(still, "whoever interrupted is heard later");
        assertEquals(SafeTensorsTest.mixed(), read);
        assertOnlyTheFile();
    }

    @Test
    void whoMayReadTheOldFileMayReadTheNewOne() throws IOException {
        boolean posix = Files.getFileStore(folder).supportsFileAttributeView("posix");
        Required.that(posix, "posix", "permissions", "this file system has none");
        for (String text : List.of("rw-------", "rw-rw-rw-", "r--------")) {
            Set<PosixFilePermission> permissions = PosixFilePermissions.fromString(text);
            Files.setPosixFilePermissions(file, permissions);
            AtomicFile.replace(file, out -> {
                try (Stream<Path> files = Files.list(folder)) {
                    for (Path each : files.toList()) assertEquals(permissions, Files.getPosixFilePermissions(each));
                }
            });
            assertEquals(permissions, Files.getPosixFilePermissions(file));
        }
    }

    /** Or those who could read the old one may not read the new one, and others may. */
    @Test
    void theNewFileHasTheGroupOfTheOldOne() throws IOException {
        String reason = "this user can give a file no group named daemon";
        PosixFileAttributeView view = Files.getFileAttributeView(file, PosixFileAttributeView.class);
        Required.that(view != null, "groups", "the group of a file", reason);
        try {
            view.setGroup(folder.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByGroupName("daemon"));
        } catch (IOException e) {
            throw Required.missing("groups", "the group of a file", reason);
        }
        SafeTensorsTest.mixed().write(file);
        assertEquals("daemon", view.readAttributes().group().getName());
    }

    @Test
    void missingFolderIsNamed() throws IOException {
        Path lost = folder.resolve("missing").resolve("model.safetensors");
        ModelFileException e = assertThrows(
                ModelFileException.class, () -> SafeTensorsTest.mixed().write(lost));
        assertEquals(
                lost + ": writing: expected a folder to write into, found no folder " + lost.getParent() + ". Make it",
                e.getMessage());
        assertIntact();
    }

    @Test
    void folderIsNotReplaced() throws IOException {
        Path taken = Files.createDirectory(folder.resolve("taken"));
        assertThrows(ModelFileException.class, () -> SafeTensorsTest.mixed().write(taken));
        assertTrue(Files.isDirectory(taken));
        Files.delete(taken);
        assertIntact();
    }

    /** As a device would be, or the end of somebody's pipe. */
    @Test
    void aPipeIsNotReplaced() throws Exception {
        Path pipe = folder.resolve("pipe");
        boolean made = false;
        try {
            made = new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor() == 0;
        } catch (IOException e) {
            // then there is none
        }
        Required.that(made, "mkfifo", "what is no file", "there are no named pipes here");
        ModelFileException e = assertThrows(
                ModelFileException.class, () -> SafeTensorsTest.mixed().write(pipe));
        assertTrue(e.getMessage().contains("found there is something that is not a file"), e::getMessage);
        assertFalse(Files.isRegularFile(pipe));
        Files.delete(pipe);
        assertIntact();
    }

    @Test
    void replacesTheTargetOfALink() throws IOException {
        Path link = folder.resolve("link");
        try {
            Files.createSymbolicLink(link, file);
        } catch (IOException | UnsupportedOperationException e) {
            throw Required.missing("links", "the target of a link", "there are no symbolic links here");
        }
        SafeTensorsTest.mixed().write(link);
        assertTrue(Files.isSymbolicLink(link));
        assertEquals(SafeTensorsTest.mixed(), SafeTensors.read(file));
    }

    @Test
    void replacesTheOldFileAndLeavesNothingElse() throws IOException {
        SafeTensorsTest.mixed().write(file);
        assertFalse(SafeTensors.read(file).tensors().containsKey("old"));
        assertOnlyTheFile();
    }

    private void assertIntact() throws IOException {
        assertArrayEquals(old, Files.readAllBytes(file));
        assertOnlyTheFile();
    }

    private void assertOnlyTheFile() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(List.of(file), files.toList());
        }
    }
}
