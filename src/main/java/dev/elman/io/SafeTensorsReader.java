package dev.elman.io;

import dev.elman.io.SafeTensorsHeader.Slot;
import java.io.EOFException;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads one file, whatever interrupts there are, distrusting every number in it: nothing is allocated that the file's own
 * length does not cover.
 */
final class SafeTensorsReader {
    /** For larger reads the JDK takes as large a buffer outside the heap. */
    private static final int CHUNK = 1 << 20;
    /** A header of the tiniest metadata entries takes up to about this many times its bytes when it is parsed. */
    private static final int HEADER_EXPANSION = 24;

    private final Path file;

    SafeTensorsReader(Path file) {
        this.file = file;
    }

    SafeTensors read() throws ModelFileException {
        return read(this::contents);
    }

    Map<String, String> metadata() throws ModelFileException {
        return read(content -> header(content).metadata());
    }

    /** What is made of a file's bytes. */
    private interface Part<T> {
        T from(InputStream content) throws IOException;
    }

    private <T> T read(Part<T> part) throws ModelFileException {
        WholeFile.requireFile(file);
        try (InputStream content = open()) {
            return part.from(content);
        } catch (ModelFileException e) {
            throw e;
        } catch (IOException e) {
            throw WholeFile.unreadable(file, e);
        }
    }

    /** On a disk what no interrupt closes, as one would the streams of {@link Files}; those in an archive or the like. */
    private InputStream open() throws IOException {
        boolean onDisk = file.getFileSystem() == FileSystems.getDefault();
        return onDisk ? new FileInputStream(file.toFile()) : Files.newInputStream(file);
    }

    private SafeTensors contents(InputStream content) throws IOException {
        SafeTensorsHeader header = header(content);
        Map<String, NdArray> tensors = new LinkedHashMap<>();
        header.slots().forEach(slot -> tensors.put(slot.name(), null)); // in the header's order
        for (Slot slot : byPlace(header)) {
            byte[] data = read(content, (int) (slot.end() - slot.begin()));
            tensors.put(slot.name(), new NdArray(slot.dtype(), slot.shape(), data));
        }
        return new SafeTensors(tensors, header.metadata());
    }

    /** The header, once it is the one of a file of this length. */
    private SafeTensorsHeader header(InputStream content) throws IOException {
        long fileLength = Files.size(file);
        int headerLength = headerLength(content, fileLength);
        long dataLength = fileLength - SafeTensorsHeader.LENGTH_BYTES - headerLength;
        requireHeap(dataLength + (long) HEADER_EXPANSION * headerLength);
        SafeTensorsHeader header = SafeTensorsHeaderParser.parse(file, read(content, headerLength));
        for (Slot slot : header.slots()) {
            checkSize(slot, dataLength);
        }
        checkCoverage(byPlace(header), dataLength);
        return header;
    }

    private static List<Slot> byPlace(SafeTensorsHeader header) {
        List<Slot> slots = new ArrayList<>(header.slots());
        slots.sort(Comparator.comparingLong(Slot::begin).thenComparingLong(Slot::end));
        return slots;
    }

    private int headerLength(InputStream content, long fileLength) throws IOException {
        if (fileLength < SafeTensorsHeader.LENGTH_BYTES + 2) {
            throw damaged("file", "at least 10 bytes", Long.toString(fileLength));
        }
        long length = ByteBuffer.wrap(read(content, SafeTensorsHeader.LENGTH_BYTES))
                .order(ByteOrder.LITTLE_ENDIAN)
                .getLong();
        String place = "bytes 0 to 7, the header's length";
        if (length < 2 || length > SafeTensorsHeader.MAX_LENGTH) {
            throw damaged(place, "2 to " + SafeTensorsHeader.MAX_LENGTH, Long.toUnsignedString(length));
        }
        if (length > fileLength - SafeTensorsHeader.LENGTH_BYTES) {
            throw damaged(
                    place,
                    "at most " + (fileLength - SafeTensorsHeader.LENGTH_BYTES) + ", the bytes that follow",
                    Long.toString(length));
        }
        return (int) length;
    }

    private void requireHeap(long bytes) throws ModelFileException {
        long heap = Runtime.getRuntime().maxMemory();
        if (bytes > heap) {
            throw new ModelFileException(
                    file,
                    "file",
                    "what fits into the heap of " + heap + " bytes",
                    "up to " + bytes + " bytes of content",
                    "Start java with a larger -Xmx");
        }
    }

    private void checkSize(Slot slot, long dataLength) throws ModelFileException {
        long expected;
        try {
            expected = Math.multiplyExact(
                    NdArray.elements(slot.shape()), slot.dtype().bytes());
        } catch (ArithmeticException e) {
            throw damaged(place(slot), "a shape of less than 2^63 bytes", Arrays.toString(slot.shape()));
        }
        if (slot.begin() > slot.end()) {
            throw damaged(place(slot), "data_offsets [begin, end]", offsets(slot));
        }
        if (slot.end() > dataLength) {
            throw damaged(
                    place(slot), "data_offsets up to " + dataLength + ", the bytes after the header", offsets(slot));
        }
        if (slot.end() - slot.begin() != expected) {
            throw damaged(
                    place(slot),
                    expected + " bytes for " + slot.dtype() + " " + Arrays.toString(slot.shape()),
                    (slot.end() - slot.begin()) + " bytes by data_offsets " + offsets(slot));
        }
        WholeFile.requireArray(file, place(slot), expected);
    }

    /** The tensors must cover all bytes after the header, each byte once. */
    private void checkCoverage(List<Slot> byPlace, long dataLength) throws ModelFileException {
        long covered = 0;
        for (Slot slot : byPlace) {
            if (slot.begin() != covered) {
                String slip = slot.begin() > covered ? "a hole in front of it" : "an overlap with the one before it";
                throw damaged(place(slot), "data_offsets from " + covered, offsets(slot) + ", " + slip);
            }
            covered = slot.end();
        }
        if (covered != dataLength) {
            throw damaged(
                    "data byte " + covered,
                    "the end of the file, as no tensor claims more",
                    (dataLength - covered) + " bytes");
        }
    }

    /** The bytes that come next. */
    static byte[] read(InputStream content, int length) throws IOException {
        byte[] bytes = new byte[length];
        for (int done = 0; done < length; ) {
            int count = Math.min(CHUNK, length - done);
            if (content.readNBytes(bytes, done, count) < count) throw new EOFException();
            done += count;
        }
        return bytes;
    }

    private static String place(Slot slot) {
        return "tensor " + ModelFileException.brief(slot.name());
    }

    private static String offsets(Slot slot) {
        return "[" + slot.begin() + ", " + slot.end() + "]";
    }

    private ModelFileException damaged(String place, String expected, String found) {
        return new ModelFileException(file, place, expected, found, SafeTensorsHeaderParser.DAMAGED);
    }
}
