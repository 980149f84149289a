package dev.elman.io;

import java.io.Closeable;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.LocalDateTime;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Predicate;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * Zip files whose members are read whole; every checksum is compared, and nothing expands beyond the heap. For npz and
 * Keras files.
 */
public final class ZipArchive {
    private static final String DAMAGED = "The file is no zip file or is damaged: write or copy it again";
    /** Deflate makes at best 1032 bytes of one. */
    private static final long MOST_EXPANSION = 1032;

    private ZipArchive() {}

    /**
     * The members whose names are wanted, in the file's order.
     *
     * @throws ModelFileException if the file is missing, cannot be read, is no zip file or is damaged
     */
    public static Map<String, byte[]> read(Path file, Predicate<String> wanted) throws ModelFileException {
        WholeFile.requireFile(file);
        if (file.getFileSystem() == FileSystems.getDefault()) return read(file, file.toFile(), wanted);
        // The JDK reads a zip's directory from a disk only.
        try {
            Path copy = Files.createTempFile("elman", ".zip");
            try {
                Files.copy(file, copy, StandardCopyOption.REPLACE_EXISTING);
                return read(file, copy.toFile(), wanted);
            } finally {
                Files.delete(copy);
            }
        } catch (ModelFileException e) {
            throw e;
        } catch (IOException e) {
            throw WholeFile.unreadable(file, e);
        }
    }

    private static Map<String, byte[]> read(Path file, File onDisk, Predicate<String> wanted)
            throws ModelFileException {
        try (ZipFile zip = new ZipFile(onDisk)) {
            Map<String, byte[]> members = new LinkedHashMap<>();
            long total = 0;
            for (ZipEntry entry : Collections.list(zip.entries())) {
                String name = entry.getName();
                if (entry.isDirectory() || !wanted.test(name)) continue;
                long size = checkedSize(file, entry);
                WholeFile.requireArray(file, place(entry), size);
                total = Math.addExact(total, size);
                WholeFile.requireHeap(file, total);
                if (members.put(name, member(file, zip, entry)) != null) {
                    throw damaged(file, place(entry), "each name once", "the name again", null);
                }
            }
            return members;
        } catch (ModelFileException e) {
            throw e;
        } catch (ZipException | IllegalArgumentException | ArithmeticException e) {
            // An IllegalArgumentException comes from names that are not UTF-8.
            throw damaged(file, "file", "a zip file", e.getMessage(), e);
        } catch (IOException e) {
            throw WholeFile.unreadable(file, e);
        }
    }

    private static long checkedSize(Path file, ZipEntry entry) throws ModelFileException {
        long size = entry.getSize();
        long packed = entry.getCompressedSize();
        if (size < 0 || packed < 0 || size / MOST_EXPANSION > packed) {
            throw damaged(file, place(entry), "a size that " + packed + " bytes can expand to", "" + size, null);
        }
        return size;
    }

    private static byte[] member(Path file, ZipFile zip, ZipEntry entry) throws IOException {
        byte[] bytes;
        boolean ended;
        try (InputStream in = zip.getInputStream(entry)) {
            bytes = in.readNBytes((int) entry.getSize());
            ended = in.read() < 0;
        } catch (IOException e) {
            throw damaged(file, place(entry), "packed bytes", String.valueOf(e.getMessage()), e);
        }
        if (bytes.length != entry.getSize() || !ended) {
            String found = ended ? "" + bytes.length : "more";
            throw damaged(file, place(entry), entry.getSize() + " bytes", found, null);
        }
        CRC32 checksum = new CRC32();
        checksum.update(bytes);
        if (checksum.getValue() != entry.getCrc()) {
            String expected = "the checksum " + Long.toHexString(entry.getCrc());
            throw damaged(file, place(entry), expected, Long.toHexString(checksum.getValue()), null);
        }
        return bytes;
    }

    private static String place(ZipEntry entry) {
        return "member " + ModelFileException.brief(entry.getName());
    }

    private static ModelFileException damaged(Path file, String place, String expected, String found, Exception cause) {
        return new ModelFileException(file, place, expected, found, DAMAGED, cause);
    }

    /** Writes members one after another, not compressed and without the date, so that equal members give equal bytes. */
    public static final class Writer implements Closeable {
        /** Beside the first that a zip can say, the JDK would write the time zone's too. */
        private static final LocalDateTime ONE_DAY = LocalDateTime.of(1980, 2, 1, 0, 0);

        private final ZipOutputStream zip;

        /** Writes to {@code out}, which {@link #close} closes, too. */
        public Writer(OutputStream out) {
            zip = new ZipOutputStream(out);
            zip.setMethod(ZipOutputStream.STORED);
        }

        /** Adds a member. */
        public void store(String name, byte[] bytes) throws IOException {
            CRC32 checksum = new CRC32();
            checksum.update(bytes);
            ZipEntry entry = new ZipEntry(name);
            entry.setSize(bytes.length);
            entry.setCrc(checksum.getValue());
            entry.setTimeLocal(ONE_DAY);
            zip.putNextEntry(entry);
            zip.write(bytes);
        }

        @Override
        public void close() throws IOException {
            zip.close();
        }
    }
}
