package dev.elman.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.contract.Required;
import dev.elman.io.numpy.Npy;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ReadOnlyBufferException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the format is, and that files come back as they were written. */
class SafeTensorsTest {
    @TempDir
    Path folder;

    static SafeTensors mixed() {
        Map<String, NdArray> tensors = new LinkedHashMap<>();
        tensors.put("ids", NdArray.ofInts(new int[] {1, -2, Integer.MIN_VALUE}, 3));
        tensors.put("weights", NdArray.ofFloats(new float[] {-0f, Float.MIN_VALUE, Float.NaN, 4, 5, 6}, 2, 3));
        tensors.put("double", NdArray.ofDoubles(new double[] {Math.PI, Double.NEGATIVE_INFINITY}, 2, 1));
        tensors.put("scalar", NdArray.ofLongs(new long[] {Long.MAX_VALUE}));
        tensors.put("empty", NdArray.ofFloats(new float[0], 4, 0, 2));
        tensors.put("flags", NdArray.ofBytes(DType.BOOL, new byte[] {1, 0, 1}, 3));
        tensors.put("naïve \"\\ \u0000 \uD83D\uDE00", NdArray.ofInts(new int[] {7}, 1, 1));
        Map<String, String> metadata = new LinkedHashMap<>();
        metadata.put("labels", "[\"eins\",\"zwei\"]");
        metadata.put("", "line\nbreak \u2028");
        return new SafeTensors(tensors, metadata);
    }

    @Test
    void roundTripKeepsValuesOrderAndMetadata() throws IOException {
        Path file = folder.resolve("model.safetensors");
        SafeTensors written = mixed();
        written.write(file);
        SafeTensors read = SafeTensors.read(file);
        assertEquals(written, read);
        assertEquals(
                List.copyOf(written.tensors().keySet()),
                List.copyOf(read.tensors().keySet()));
        assertEquals(
                List.copyOf(written.metadata().keySet()),
                List.copyOf(read.metadata().keySet()));
        assertEquals(written.metadata(), SafeTensors.metadata(file));
        assertArrayEquals(
                new float[] {-0f, Float.MIN_VALUE, Float.NaN, 4, 5, 6},
                read.tensors().get("weights").floats());
        assertArrayEquals(
                new int[] {1, -2, Integer.MIN_VALUE}, read.tensors().get("ids").ints());
        assertArrayEquals(
                new long[] {Long.MAX_VALUE}, read.tensors().get("scalar").longs());
        assertArrayEquals(
                new double[] {Math.PI, Double.NEGATIVE_INFINITY},
                read.tensors().get("double").doubles());
        assertEquals(0, read.tensors().get("empty").size());
        assertTrue(read.tensors().get("empty").hasShape(4, 0, 2));
    }

    @Test
    void aFileMayLieInAnArchive() throws IOException {
        SafeTensors written = new SafeTensors(Map.of("x", NdArray.ofDoubles(new double[] {1, 2}, 2)), Map.of());
        URI archive = URI.create("jar:" + folder.resolve("models.zip").toUri());
        for (int round = 0; round < 2; round++) {
            try (FileSystem zip = FileSystems.newFileSystem(archive, Map.of("create", "true"))) {
                Path file = zip.getPath("/model.safetensors");
                written.write(file);
                assertEquals(written, SafeTensors.read(file));
            }
        }
    }

    @Test
    void equalContentsGiveEqualBytes() throws IOException {
        Path one = folder.resolve("one");
        Path two = folder.resolve("two");
        mixed().write(one);
        mixed().write(two);
        SafeTensors.read(one).write(one);
        assertArrayEquals(Files.readAllBytes(two), Files.readAllBytes(one));
    }

    @Test
    void writesTheBytesOfThePublishedFormat() throws IOException {
        Path file = folder.resolve("model.safetensors");
        Map<String, NdArray> tensors = new LinkedHashMap<>();
        tensors.put("a", NdArray.ofInts(new int[] {0x01020304}, 1));
        tensors.put("b", NdArray.ofDoubles(new double[] {1}));
        new SafeTensors(tensors, Map.of("k", "v")).write(file);
        String header =
                "{\"__metadata__\":{\"k\":\"v\"},\"a\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[8,12]},"
                        + "\"b\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[0,8]}}";
        byte[] padded = (header + " ".repeat((8 - header.length() % 8) % 8)).getBytes(StandardCharsets.US_ASCII);
        byte[] data = {0, 0, 0, 0, 0, 0, (byte) 0xf0, 0x3f, 4, 3, 2, 1};
        assertArrayEquals(HandMade.file(padded.length, padded, data), Files.readAllBytes(file));
        assertEquals(0, padded.length % 8);
    }

    @Test
    void readsAnyOrderAnyPaddingAndNoPadding() throws IOException {
        String tensors = "\"b\": {\"shape\": [2], \"data_offsets\": [4, 12], \"dtype\": \"I32\"},\n"
                + "\"a\": {\"dtype\": \"I32\", \"shape\": [1, 1], \"data_offsets\": [0, 4]},"
                + "\"none\": {\"dtype\": \"BF16\", \"shape\": [0], \"data_offsets\": [4, 4]}}";
        for (String padding : List.of("", " ", " ".repeat(1000))) {
            SafeTensors read = HandMade.read(folder, HandMade.file("{" + tensors + padding, 12));
            assertArrayEquals(new int[] {0x04030201}, read.tensors().get("a").ints());
            assertArrayEquals(
                    new int[] {0x08070605, 0x0c0b0a09}, read.tensors().get("b").ints());
            assertEquals(List.of("b", "a", "none"), List.copyOf(read.tensors().keySet()));
            assertEquals(Map.of(), read.metadata());
        }
    }

    @Test
    void readsTheSmallestFile() throws IOException {
        assertEquals(new SafeTensors(Map.of(), Map.of()), HandMade.read(folder, HandMade.file("{}", 0)));
    }

    @Test
    void cannotBeChangedFromOutside() {
        float[] values = {1, 2};
        long[] shape = {2};
        NdArray entry = NdArray.ofFloats(values, shape);
        Map<String, NdArray> tensors = new LinkedHashMap<>(Map.of("x", entry));
        Map<String, String> metadata = new LinkedHashMap<>(Map.of("k", "v"));
        SafeTensors contents = new SafeTensors(tensors, metadata);
        metadata.clear();
        assertEquals(Map.of("k", "v"), contents.metadata());
        values[0] = 9;
        shape[0] = 9;
        entry.shape()[0] = 9;
        entry.floats()[0] = 9;
        tensors.clear();
        assertThrows(ReadOnlyBufferException.class, () -> entry.bytes().put((byte) 1));
        assertThrows(
                UnsupportedOperationException.class, () -> contents.tensors().clear());
        assertArrayEquals(new float[] {1, 2}, contents.tensors().get("x").floats());
        assertTrue(entry.hasShape(2));
        long[] one = {1};
        byte[] bytes = {3};
        NdArray ofBytes = NdArray.ofBytes(DType.U8, bytes, one);
        List<NdArray> others = List.of(
                ofBytes,
                NdArray.ofDoubles(new double[1], one),
                NdArray.ofInts(new int[1], one),
                NdArray.ofLongs(new long[1], one));
        one[0] = 9;
        bytes[0] = 9;
        for (NdArray other : others) assertTrue(other.hasShape(1), other.toString());
        assertEquals(3, ofBytes.bytes().get());
    }

    @Test
    void widerNumbersAreRounded() {
        float[] values = {1.5f, -0f, 0.1f, 1 / 0f};
        assertArrayEquals(values, NdArray.ofFloats(values, 2, 2).toFloats());
        assertArrayEquals(
                values,
                NdArray.ofDoubles(new double[] {1.5, -0.0, 0.1, 1e300}, 4).toFloats());
        assertThrows(IllegalStateException.class, NdArray.ofInts(new int[1], 1)::toFloats);
    }

    /** Subnormal, normal and special numbers, by IEEE 754's tables. */
    @Test
    void halvesBecomeFloats() {
        int[] halves = {0, 1, 0x3ff, 0x400, 0x3555, 0x3c01, 0x7bff, 0x7c00, 0x7c01, 0x7e00};
        float[] values = {0, 0x1p-24f, 0x1.ff8p-15f, 0x1p-14f, 0x1.554p-2f, 0x1.004p0f, 65504, 1 / 0f, 0 / 0f, 0 / 0f};
        assertArrayEquals(values, sixteenBits(DType.F16, 0, halves));
        for (int i = 0; i < values.length; i++) values[i] = -values[i];
        assertArrayEquals(values, sixteenBits(DType.F16, 0x8000, halves));
        float[] upper = {0f, 0x1p-133f, 1, 0x1.02p0f, 1 / 0f, 0 / 0f};
        int[] uppers = {0, 1, 0x3f80, 0x3f81, 0x7f80, 0x7fc0};
        assertArrayEquals(upper, sixteenBits(DType.BF16, 0, uppers));
        for (int i = 0; i < upper.length; i++) upper[i] = -upper[i];
        assertArrayEquals(upper, sixteenBits(DType.BF16, 0x8000, uppers));
    }

    private static float[] sixteenBits(DType dtype, int sign, int... bits) {
        ByteBuffer bytes = ByteBuffer.allocate(2 * bits.length).order(ByteOrder.LITTLE_ENDIAN);
        for (int each : bits) bytes.putShort((short) (each | sign));
        return NdArray.ofBytes(dtype, bytes.array(), bits.length).toFloats();
    }

    @Test
    void accessorsCheckTheType() {
        NdArray floats = NdArray.ofFloats(new float[1], 1);
        IllegalStateException e = assertThrows(IllegalStateException.class, floats::doubles);
        assertTrue(e.getMessage().contains("expected F64, found F32"), e::getMessage);
        assertThrows(IllegalStateException.class, floats::ints);
        assertThrows(IllegalStateException.class, floats::longs);
        assertThrows(IllegalStateException.class, NdArray.ofInts(new int[1], 1)::floats);
    }

    @Test
    void refusesWhatCannotBeWritten() {
        Exception three = assertThrows(IllegalArgumentException.class, () -> NdArray.ofFloats(new float[3], 2));
        assertEquals("expected 2 values for the shape [2], found 3", three.getMessage());
        assertThrows(IllegalArgumentException.class, () -> NdArray.ofFloats(new float[1], -1, -1));
        assertThrows(IllegalArgumentException.class, () -> NdArray.ofBytes(DType.F32, new byte[3], 1));
        for (DType dtype : new DType[] {DType.F64, DType.F32}) {
            int most = NdArray.most(dtype);
            NdArray.requireRoom(dtype, most);
            IllegalArgumentException e =
                    assertThrows(IllegalArgumentException.class, () -> NdArray.requireRoom(dtype, most + 1));
            assertEquals(
                    "an array holds at most 2147483639 bytes, which are " + most + " values of " + dtype
                            + ", but there are " + (most + 1) + ". Split it.",
                    e.getMessage());
        }
        NdArray entry = NdArray.ofInts(new int[0], 0);
        assertThrows(IllegalArgumentException.class, () -> new SafeTensors(Map.of("__metadata__", entry), Map.of()));
        assertThrows(IllegalArgumentException.class, () -> new SafeTensors(Map.of("\uD800", entry), Map.of()));
        assertThrows(IllegalArgumentException.class, () -> new SafeTensors(Map.of(), Map.of("k", "\uDC00")));
        Map<String, String> unset = Collections.singletonMap("k", null);
        NullPointerException e = assertThrows(NullPointerException.class, () -> new SafeTensors(Map.of(), unset));
        assertEquals("metadata value", e.getMessage());
        assertThrows(IllegalArgumentException.class, () -> new SafeTensors(Map.of(), Map.of("\uDC00", "v")));
        Map<String, NdArray> nothing = Collections.singletonMap("x", null);
        e = assertThrows(NullPointerException.class, () -> new SafeTensors(nothing, Map.of()));
        assertEquals("x", e.getMessage());
    }

    /** Both go in parts. */
    @Test
    void aTensorLargerThanWhatIsReadOrWrittenAtOnceComesBack() throws IOException {
        Path file = folder.resolve("large.safetensors");
        double[] values = new Random(1).doubles(300_000).toArray();
        SafeTensors written = new SafeTensors(Map.of("x", NdArray.ofDoubles(values, 300_000)), Map.of());
        written.write(file);
        assertEquals(written, SafeTensors.read(file));
    }

    /** Else a model could be saved that nobody can read. */
    @Test
    void aHeaderThatReadersRefuseIsNotWritten() {
        Path file = folder.resolve("long.safetensors");
        SafeTensors contents = new SafeTensors(Map.of(), Map.of("k", "x".repeat(100_000_001 - 25)));
        ModelFileException e = assertThrows(ModelFileException.class, () -> contents.write(file));
        assertEquals(
                file + ": header: expected at most 100000000 bytes, found 100000008. Keep less in the metadata",
                e.getMessage());
        assertFalse(Files.exists(file));
    }

    /** More than that no array has, for the readers refuse it. */
    @Test
    void theLargestShapesComeBack() throws IOException {
        Path file = folder.resolve("shapes");
        long[] ones = new long[64];
        Arrays.fill(ones, 1);
        NdArray deep = NdArray.ofFloats(new float[] {7}, ones);
        NdArray wide = NdArray.ofFloats(new float[0], 0, 999_999_999_999_999_999L);
        SafeTensors both = new SafeTensors(Map.of("deep", deep, "wide", wide), Map.of());
        both.write(file);
        assertEquals(both, SafeTensors.read(file));
        for (NdArray array : List.of(deep, wide)) {
            Npy.write(array, file);
            assertEquals(array, Npy.read(file));
        }
        assertShapeRefused("at most 64 axes, found 65", Arrays.copyOf(ones, 65));
        assertShapeRefused("found [0, 1000000000000000000]", 0, 1_000_000_000_000_000_000L);
    }

    private static void assertShapeRefused(String message, long... shape) {
        Exception e = assertThrows(IllegalArgumentException.class, () -> NdArray.ofFloats(new float[0], shape));
        assertTrue(e.getMessage().contains(message), e::getMessage);
    }

    /** An independent reader: Python's json and struct, and nothing of safetensors but its rules. */
    @Test
    void pythonReadsIt() throws IOException {
        Path file = folder.resolve("model.safetensors");
        Map<String, NdArray> tensors = new LinkedHashMap<>();
        tensors.put("i", NdArray.ofInts(new int[] {1, -2, 3}, 3));
        tensors.put("d", NdArray.ofDoubles(new double[] {0.1, -1e300}, 2));
        new SafeTensors(tensors, Map.of("label", "naïve")).write(file);
        String script = """
                import json, struct, sys
                raw = open(sys.argv[1], 'rb').read()
                n, = struct.unpack('<Q', raw[:8])
                head = json.loads(raw[8:8 + n].decode('utf-8'))
                get = lambda k, f: [*struct.unpack('<' + f, raw[8 + n:][slice(*head[k]['data_offsets'])])]
                print(ascii([head['__metadata__'], get('i', '3i'), get('d', '2d'), head['d']['shape'], n % 8]))
                """;
        String answer;
        try {
            answer = Python.run(List.of("python3", "-c", script, file.toString()), Duration.ofMinutes(1));
        } catch (IOException e) {
            throw Required.missing("python3", "a file of ours read by Python", "there is no python3 here");
        }
        assertEquals("[{'label': 'na\\xefve'}, [1, -2, 3], [0.1, -1e+300], [2], 0]", answer.strip());
    }

    @Test
    void bytesAreAlignedToTheirType() throws IOException {
        Path file = folder.resolve("model.safetensors");
        mixed().write(file);
        byte[] raw = Files.readAllBytes(file);
        int length = (int) ByteBuffer.wrap(raw).order(ByteOrder.LITTLE_ENDIAN).getLong();
        SafeTensorsHeader header = SafeTensorsHeaderParser.parse(file, Arrays.copyOfRange(raw, 8, 8 + length));
        assertFalse(header.slots().isEmpty());
        for (SafeTensorsHeader.Slot slot : header.slots()) {
            assertEquals(0, (8 + length + slot.begin()) % slot.dtype().bytes(), slot.name());
        }
    }
}
