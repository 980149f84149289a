package dev.elman.io.hdf5;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.contract.ChildJvm;
import dev.elman.io.ModelFileException;
import dev.elman.io.NdArray;
import dev.elman.io.Reading;
import io.jhdf.HdfFile;
import io.jhdf.WritableHdfFile;
import io.jhdf.api.DatasetCreationOptions;
import io.jhdf.checksum.ChecksumUtils;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class Hdf5Test {
    @TempDir
    private Path folder;

    @Test
    void whatWeWriteJhdfReads() throws IOException {
        Map<String, NdArray> arrays = new TreeMap<>();
        arrays.put("a", NdArray.ofFloats(new float[] {1.5f}, 1));
        arrays.put("g/h/matrix", NdArray.ofFloats(new float[] {1, 2, 3, 4, 5, -6}, 2, 3));
        arrays.put("g/vector", NdArray.ofFloats(new float[] {1, 2, 3}, 3));
        for (int i = 0; i < 100; i++) arrays.put("many/" + i, NdArray.ofFloats(new float[] {i, i}, 2));
        Path file = folder.resolve("a.h5");
        Hdf5.write(arrays, List.of("empty", "g/empty/inner"), file);
        assertEquals(arrays, new TreeMap<>(read(file).arrays()));
        byte[] first = Files.readAllBytes(file);
        Hdf5.write(arrays, List.of("empty", "g/empty/inner"), file);
        assertArrayEquals(first, Files.readAllBytes(file));
    }

    /** Of these bytes h5py 3.16 gives the arrays; jhdf is content with much that HDF5 is not. */
    @Test
    void theBytesAreThoseThatH5pyReads() throws IOException {
        Map<String, NdArray> arrays = new LinkedHashMap<>();
        arrays.put("matrix", NdArray.ofFloats(new float[] {1, 2, 3, 4, 5, -6}, 2, 3));
        arrays.put("g/three", NdArray.ofFloats(new float[] {1, 2, 3}, 3));
        arrays.put("g/none", NdArray.ofFloats(new float[0], 0, 3));
        arrays.put("g/scalar", NdArray.ofFloats(new float[] {7}));
        arrays.put("g/" + "n".repeat(255), NdArray.ofFloats(new float[] {8}, 1));
        Path file = folder.resolve("o.h5");
        Hdf5.write(arrays, List.of("empty"), file);
        assertArrayEquals(
                Files.readAllBytes(Path.of("src/test/resources/keras/written/ours.h5")), Files.readAllBytes(file));
        assertEquals(arrays, read(file).arrays());
    }

    @Test
    void textsAreRead() throws IOException {
        Hdf5 hdf = read(Path.of("src/test/resources/keras/legacy.h5"));
        assertEquals(List.of("2.15.0"), hdf.texts().get("model_weights@keras_version"));
        assertEquals(
                List.of("embedding", "simple_rnn", "dropout", "dense"),
                hdf.texts().get("model_weights@layer_names"));
        assertTrue(hdf.texts().get("@model_config").get(0).startsWith("{\"class_name\": \"Sequential\""));
    }

    /** Written by h5py 3.16: strings in place and elsewhere, a number, arrays of every kind. */
    @Test
    void everyKindOfTextAndArrayIsRead() throws IOException {
        Hdf5 hdf = read(Path.of("src/test/resources/keras/written/mixed.h5"));
        assertEquals(
                Map.of(
                        "@elsewhere", List.of("", "gr\u00f6\u00dfe", "x"),
                        "@fixed", List.of("a", "bcd", ""),
                        "growing@unit", List.of("cm")),
                hdf.texts());
        Map<String, NdArray> arrays = new TreeMap<>();
        arrays.put("growing", NdArray.ofFloats(new float[] {0, 1, 2, 3, 4, 5}, 2, 3));
        arrays.put("none", NdArray.ofDoubles(new double[0], 0, 3));
        for (String name : List.of("f2", "f4", "f4big")) {
            arrays.put(name, NdArray.ofFloats(new float[] {1.5f, -2}, 2));
        }
        arrays.put("f8", NdArray.ofDoubles(new double[] {1.5, -2}, 2));
        arrays.put("i4", NdArray.ofInts(new int[] {1, -2}, 2));
        arrays.put("i8", NdArray.ofLongs(new long[] {1, -2}, 2));
        arrays.put("f4scalar", NdArray.ofFloats(new float[] {7}));
        arrays.put("f8scalar", NdArray.ofDoubles(new double[] {7}));
        arrays.put("i4scalar", NdArray.ofInts(new int[] {7}));
        arrays.put("i8scalar", NdArray.ofLongs(new long[] {7}));
        assertEquals(arrays, new TreeMap<>(hdf.arrays()));
        assertThrows(UnsupportedOperationException.class, () -> hdf.arrays().clear());
        assertThrows(UnsupportedOperationException.class, () -> hdf.texts().clear());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0 | 0 | file: expected an HDF5 file, found something else",
                "8 | 4 | file: expected a superblock of version 0 to 3, found something else",
                "8 | -1 | file: expected a superblock of version 0 to 3, found something else",
                "13 | 4 | file: expected addresses of 8 bytes, found 4 bytes",
                "41 | 5 | file: expected 1344 bytes, found 1343, the end is missing"
            })
    void aWrongBeginIsNamed(int at, byte value, String message) throws IOException {
        Path file = Path.of("src/test/resources/keras/written/ours.h5");
        byte[] bytes = Arrays.copyOf(Files.readAllBytes(file), 1343);
        bytes[at] = value;
        assertRefused(file, bytes, message);
    }

    /** A class path with everything on it but jhdf: the error says what to add, and writing still works. */
    @Test
    void withoutJhdfTheErrorNamesIt() throws Exception {
        List<URL> urls = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            if (!entry.contains("jhdf")) urls.add(new File(entry).toURI().toURL());
        }
        Path file = folder.resolve("b.h5");
        try (URLClassLoader loader =
                new URLClassLoader(urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader())) {
            Class<?> hdf5 = loader.loadClass(Hdf5.class.getName());
            hdf5.getMethod("write", Map.class, List.class, Path.class).invoke(null, Map.of(), List.of("vars"), file);
            InvocationTargetException e = assertThrows(
                    InvocationTargetException.class,
                    () -> hdf5.getMethod("parse", Path.class, String.class, byte[].class)
                            .invoke(null, file, "", Files.readAllBytes(file)));
            String message = e.getCause().getMessage();
            assertTrue(message.contains("Add the dependency " + Hdf5.LIBRARY + " to your build"), message);
        }
        assertEquals(Map.of(), read(file).arrays());
    }

    @Test
    void theErrorNamesTheVersionThatIsTested() throws IOException {
        String version = Hdf5.LIBRARY.substring(Hdf5.LIBRARY.lastIndexOf(':') + 1);
        assertTrue(
                Files.readString(Path.of("pom.xml")).contains("<jhdf.version>" + version + "</jhdf.version>"), version);
    }

    /** Of these jhdf would give other numbers than h5py does. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "brain_floats | floats of IEEE 754, found others of 2 bytes",
                "growing | an array of fixed size, found chunks of one that may grow to [4, -1]",
                "gaps | chunks whose gaps are 0, found the fill value 3.0",
                "checksums | chunks packed by LZF alone, found checksums, too"
            })
    void whatWouldBeMisreadIsRefused(String name, String found) throws IOException {
        Path file = Path.of("src/test/resources/keras/written/" + name + ".h5");
        assertRefused(file, Files.readAllBytes(file), "\"a\": expected " + found);
    }

    @ParameterizedTest
    @CsvSource({"gr\u00f6\u00dfe, b", "a, a/b", "a/b, a", "g/, b"})
    void namesThatWouldBeLostAreRefused(String first, String second) {
        Map<String, NdArray> arrays = new LinkedHashMap<>();
        for (String name : List.of(first, second)) arrays.put(name, NdArray.ofFloats(new float[1], 1));
        Path file = folder.resolve("n.h5");
        assertThrows(IllegalArgumentException.class, () -> Hdf5.write(arrays, List.of(), file));
        assertThrows(IllegalArgumentException.class, () -> Hdf5.write(Map.of(), List.of("g".repeat(256)), file));
        assertTrue(Files.notExists(file));
    }

    @Test
    void onlyFloatsAreWritten() {
        Map<String, NdArray> ints = Map.of("a", NdArray.ofInts(new int[1], 1));
        Path file = folder.resolve("c.h5");
        assertThrows(IllegalArgumentException.class, () -> Hdf5.write(ints, List.of(), file));
        assertTrue(Files.notExists(file));
    }

    /** HDF5 itself refuses a file with more. */
    @Test
    void moreAxesThanHdf5HasAreRefused() throws IOException {
        Path file = folder.resolve("axes.h5");
        long[] ones = new long[33];
        Arrays.fill(ones, 1);
        Map<String, NdArray> deep = Map.of("a", NdArray.ofFloats(new float[1], Arrays.copyOf(ones, 32)));
        Hdf5.write(deep, List.of(), file);
        assertEquals(deep, read(file).arrays());
        Map<String, NdArray> deeper = Map.of("a", NdArray.ofFloats(new float[1], ones));
        assertThrows(IllegalArgumentException.class, () -> Hdf5.write(deeper, List.of(), file));
    }

    /** Of 65,536 the file would have held none. */
    @Test
    void moreMembersThanAHeaderCountsAreRefused() throws IOException {
        Path file = folder.resolve("members.h5");
        List<String> groups = new ArrayList<>();
        for (int i = 0; i < 65534; i++) groups.add("g/" + i);
        Hdf5.write(Map.of(), groups, file);
        groups.add("g/one more");
        Exception e = assertThrows(IllegalArgumentException.class, () -> Hdf5.write(Map.of(), groups, file));
        assertEquals("expected groups of at most 65534 arrays and groups, but one has 65535", e.getMessage());
    }

    private static final long HUGE = 1L << 40;

    @Test
    void anArrayLargerThanItsFileIsRefused() throws IOException {
        Path file = folder.resolve("d.h5");
        Hdf5.write(Map.of("g/a", NdArray.ofFloats(new float[7], 7)), List.of(), file);
        byte[] bytes = Files.readAllBytes(file);
        patch(bytes, space(7), space(HUGE));
        assertRefused(file, bytes, "\"g/a\": expected what the file's " + bytes.length + " bytes can hold, found ");
    }

    /** Empty strings take no bytes in the file, but each its place in memory. */
    @Test
    void anAttributeLargerThanItsFileIsRefused() throws IOException {
        Path file = Path.of("src/test/resources/keras/legacy.h5");
        byte[] bytes = Files.readAllBytes(file);
        patch(bytes, space(4, 4), space(HUGE, HUGE)); // the names of the 4 layers
        patch(bytes, new byte[] {0x19, 1, 0, 0, 16}, new byte[] {0x13, 0, 0, 0, 0
        }); // strings elsewhere, and here of 0 bytes
        assertRefused(
                file,
                bytes,
                "\"model_weights@layer_names\": expected what the file's " + bytes.length + " bytes can hold, found ");
    }

    /** It would be unpacked whole, though the array has four elements. */
    @Test
    void aChunkLargerThanItsFileIsRefused() throws IOException {
        Path file = folder.resolve("chunk.h5");
        byte[] bytes = chunked(file, 1 << 16);
        patch(bytes, new byte[] {2, 3, 0, 0, 1, 4, 0, 0}, new byte[] {2, 3, 0, 0, 127, 4, 0, 0}); // chunk and width
        sealObjects(bytes);
        assertRefused(
                file, bytes, "\"a\": expected what the file's " + bytes.length + " bytes can hold, found 33292288");
    }

    /** By its size, or, where that is no more than a third of the heap, by what jhdf takes to unpack it. */
    @ParameterizedTest
    @CsvSource({"4194304, 'more, as jhdf unpacks it'", "5242880, 20971520 bytes"})
    void aChunkLargerThanTheHeapIsRefused(int elements, String found) throws IOException, InterruptedException {
        Path file = folder.resolve("chunk.h5");
        chunked(file, elements);
        String said = ChildJvm.withHeap(56).run(Reading.class, file.toString());
        assertTrue(
                said.contains(
                        "\"a\": expected arrays and chunks of which a few fit into the heap of 58720256 bytes, found "
                                + found + ". Start java with a larger -Xmx"),
                said);
    }

    /** Zeros in a single chunk, packed. */
    private static byte[] chunked(Path file, int size) throws IOException {
        try (WritableHdfFile hdf = HdfFile.write(file)) {
            hdf.putDataset(
                    "a",
                    new float[size],
                    DatasetCreationOptions.builder()
                            .chunkDimensions(size)
                            .deflate()
                            .build());
        }
        return Files.readAllBytes(file);
    }

    @Test
    void aSoftLinkIsRefused() throws IOException {
        Path file = folder.resolve("e.h5");
        Hdf5.write(Map.of("a", NdArray.ofFloats(new float[1], 1)), List.of("b"), file);
        byte[] bytes = Files.readAllBytes(file);
        patch(bytes, link("b"), new byte[] {1, 8, 1, 1, 'b', 2, 0, '/', 'a', 0, 0, 0});
        assertRefused(file, bytes, "\"b\": expected groups and arrays, found a link");
    }

    @Test
    void aGroupThatContainsItselfIsRefused() throws IOException {
        Path file = folder.resolve("f.h5");
        Hdf5.write(Map.of(), List.of("a"), file);
        byte[] bytes = Files.readAllBytes(file);
        patch(bytes, link("a"), new byte[] {1, 0, 1, 'a', 96, 0}); // where the root is
        assertRefused(file, bytes, "\"a" + "/a".repeat(33) + "\": expected a tree of groups, found a cycle or a maze");
    }

    /** A dataspace of one extent, and the largest that it may become, if that is said. */
    private static byte[] space(long... extents) {
        ByteBuffer space = ByteBuffer.allocate(8 + 8 * extents.length).order(ByteOrder.LITTLE_ENDIAN);
        space.put((byte) 1).put((byte) 1).putInt(extents.length - 1).putShort((short) 0);
        for (long extent : extents) space.putLong(extent);
        return space.array();
    }

    /** The begin of a link to an object, whose address follows. */
    private static byte[] link(String name) {
        return new byte[] {1, 0, 1, (byte) name.charAt(0)};
    }

    /** Corrects the checksums of object headers of version 2, whose lengths have four bytes. */
    private static void sealObjects(byte[] bytes) {
        ByteBuffer content = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at < bytes.length - 10; at++) {
            if (content.getInt(at) != 0x5244484F) continue; // OHDR
            int end = at + 10 + content.getInt(at + 6);
            content.putInt(end, ChecksumUtils.checksum(Arrays.copyOfRange(bytes, at, end)));
        }
    }

    /** Overwrites wherever these bytes are. */
    private static void patch(byte[] bytes, byte[] from, byte[] to) {
        int last = bytes.length - Math.max(from.length, to.length);
        boolean found = false;
        for (int at = 0; at <= last; at++) {
            if (!Arrays.equals(bytes, at, at + from.length, from, 0, from.length)) continue;
            System.arraycopy(to, 0, bytes, at, to.length);
            found = true;
        }
        assertTrue(found);
    }

    private static void assertRefused(Path file, byte[] bytes, String message) {
        ModelFileException e = assertThrows(ModelFileException.class, () -> Hdf5.parse(file, "", bytes));
        assertTrue(e.getMessage().startsWith(file + ": " + message), e.getMessage());
    }

    private static Hdf5 read(Path file) throws IOException {
        return Hdf5.parse(file, "", Files.readAllBytes(file));
    }
}
