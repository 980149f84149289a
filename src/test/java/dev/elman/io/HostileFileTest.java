package dev.elman.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.elman.contract.ChildJvm;
import dev.elman.io.numpy.Npy;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Damaged and malicious files: each gives a {@link ModelFileException} that says where and what, and nothing else. */
class HostileFileTest {
    private static final String A = tensor("a", "F32", "[2]", "[0,8]");

    @TempDir
    Path folder;

    private static String tensor(String name, String dtype, String shape, String offsets) {
        return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets
                + "}";
    }

    private static byte[] file(int dataBytes, String... members) {
        return HandMade.file("{" + String.join(",", members) + "}", dataBytes);
    }

    private static byte[] lying(long headerLength) {
        byte[] header = ("{" + A + "}").getBytes(StandardCharsets.UTF_8);
        return HandMade.file(headerLength, header, new byte[8]);
    }

    private static byte[] raw(byte[] header) {
        return HandMade.file(header.length, header, new byte[0]);
    }

    private static byte[] latin1(String header) {
        return raw(header.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** Name, bytes, and what the message must contain beside the file's name. */
    static Stream<Arguments> files() {
        String deep = "[".repeat(200_000);
        String long1 = "1".repeat(100_000);
        return Stream.of(
                arguments("empty", new byte[0], "file: expected at least 10 bytes, found 0"),
                arguments("nine bytes", new byte[9], "file: expected at least 10 bytes, found 9"),
                arguments("header length 0", lying(0), "bytes 0 to 7, the header's length: expected 2 to 100000000"),
                arguments(
                        "header length beyond the file", lying(64 + 8), "at most 62, the bytes that follow, found 72"),
                arguments("header length over the limit", lying(100_000_001), "found 100000001"),
                arguments("header length 2^64-1", lying(-1), "found 18446744073709551615"),
                arguments("header length 2^63", lying(Long.MIN_VALUE), "found 9223372036854775808"),
                arguments(
                        "header length too small",
                        lying(20),
                        "tensor \"a\": expected JSON, found malformed text at line 1"),
                arguments(
                        "header length too large",
                        lying(60),
                        "end of the header: expected JSON, found malformed text at line 1"),
                arguments(
                        "pickle",
                        raw("\u0080\u0002}q\u0000.".getBytes(StandardCharsets.ISO_8859_1)),
                        "byte 8: expected '{'"),
                arguments("array", raw("[]".getBytes(StandardCharsets.UTF_8)), "byte 8: expected '{', found byte 91"),
                arguments("space in front", latin1(" {}"), "byte 8: expected '{', found byte 32"),
                arguments("zeros", new byte[4096], "header's length: expected 2 to"),
                arguments("not UTF-8", latin1("{\"\u00e9\":" + "{}}"), "expected UTF-8"),
                arguments("overlong UTF-8", latin1("{\"\u00c0\u00af\":{}}"), "expected UTF-8"),
                arguments("half surrogate", latin1("{\"\\ud800\":{}}"), "header: expected JSON"),
                arguments("comment", file(8, "/* */" + A), "expected JSON"),
                arguments("single quotes", file(8, A.replace('"', '\'')), "expected JSON"),
                arguments("comma at the end", file(8, A, ""), "expected JSON"),
                arguments("raw control character", file(8, A.replace("\"a\"", "\"a\nb\"")), "expected JSON"),
                arguments(
                        "two objects",
                        HandMade.file("{" + A + "}{}", 8),
                        "end of the header: expected JSON, found malformed text at line 1"),
                arguments(
                        "zero bytes as padding",
                        HandMade.file("{" + A + "}\0\0", 8),
                        "end of the header: expected JSON"),
                arguments("duplicate tensor", file(8, A, A), "header: expected each name once, found \"a\" again"),
                arguments("duplicate by escape", file(8, A, A.replace("\"a\"", "\"\\u0061\"")), "found \"a\" again"),
                arguments(
                        "duplicate metadata",
                        file(0, "\"__metadata__\":{},\"__metadata__\":{}"),
                        "__metadata__\" again"),
                arguments(
                        "duplicate metadata key",
                        file(0, "\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}"),
                        "__metadata__: expected each name once, found \"k\" again"),
                arguments(
                        "duplicate field",
                        file(8, A.replace("}", ",\"dtype\":\"F32\"}")),
                        "tensor \"a\": expected each name once"),
                arguments(
                        "metadata number", file(0, "\"__metadata__\":{\"k\":1}"), "metadata \"k\": expected a string"),
                arguments(
                        "metadata nested", file(0, "\"__metadata__\":{\"k\":{}}"), "metadata \"k\": expected a string"),
                arguments("metadata null", file(0, "\"__metadata__\":null"), "__metadata__: expected an object"),
                arguments("tensor null", file(0, "\"a\":null"), "tensor \"a\": expected an object"),
                arguments("tensor deep", file(0, "\"a\":" + deep), "tensor \"a\": expected an object"),
                arguments("shape deep", file(0, tensor("a", "F32", deep, "[0,0]")), "expected whole numbers in shape"),
                arguments("metadata deep", file(0, "\"__metadata__\":" + deep), "expected an object"),
                arguments("unknown field", file(8, A.replace("}", ",\"stride\":[1]}")), "found \"stride\""),
                arguments(
                        "no dtype",
                        file(0, "\"a\":{\"shape\":[0],\"data_offsets\":[0,0]}"),
                        "tensor \"a\": expected dtype"),
                arguments(
                        "no shape",
                        file(0, "\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,0]}"),
                        "tensor \"a\": expected dtype"),
                arguments(
                        "no offsets",
                        file(0, "\"a\":{\"dtype\":\"F32\",\"shape\":[0]}"),
                        "tensor \"a\": expected dtype"),
                arguments("wrong dtype", file(8, tensor("a", "F31", "[2]", "[0,8]")), "expected a dtype of"),
                arguments("dtype in small letters", file(8, tensor("a", "f32", "[2]", "[0,8]")), "found \"f32\""),
                arguments("dtype number", file(8, A.replace("\"F32\"", "32")), "expected a string, found NUMBER"),
                arguments(
                        "shape string",
                        file(8, tensor("a", "F32", "[\"2\"]", "[0,8]")),
                        "expected whole numbers in shape"),
                arguments(
                        "shape not an array", file(8, tensor("a", "F32", "2", "[0,8]")), "expected an array as shape"),
                arguments("shape fraction", file(8, tensor("a", "F32", "[2.0]", "[0,8]")), "found \"2.0\""),
                arguments("shape exponent", file(8, tensor("a", "F32", "[2e0]", "[0,8]")), "found \"2e0\""),
                arguments("shape negative", file(8, tensor("a", "F32", "[-2]", "[0,8]")), "found \"-2\""),
                arguments("shape minus zero", file(0, tensor("a", "F32", "[-0]", "[0,0]")), "found \"-0\""),
                arguments("shape twice negative", file(8, tensor("a", "F32", "[-2,-1]", "[0,8]")), "found \"-2\""),
                arguments(
                        "shape 2^64",
                        file(8, tensor("a", "F32", "[18446744073709551616]", "[0,8]")),
                        "expected whole numbers"),
                arguments(
                        "shape of 100,000 digits",
                        file(8, tensor("a", "F32", "[" + long1 + "]", "[0,8]")),
                        "expected JSON"),
                arguments("shape NaN", file(8, tensor("a", "F32", "[NaN]", "[0,8]")), "tensor \"a\""),
                arguments(
                        "shape product 2^64",
                        file(8, tensor("a", "F32", "[4294967296,4294967296]", "[0,8]")),
                        "less than 2^63 bytes"),
                arguments(
                        "shape product 2^62 floats",
                        file(8, tensor("a", "F32", "[2147483648,2147483648]", "[0,8]")),
                        "less than 2^63 bytes"),
                arguments(
                        "shape of rank 65",
                        file(4, tensor("a", "F32", "[1" + ",1".repeat(64) + "]", "[0,4]")),
                        "at most 64 numbers"),
                arguments(
                        "wrong shape",
                        file(16, A, tensor("b", "F32", "[3]", "[8,16]")),
                        "expected 12 bytes for F32 [3], found 8 bytes by data_offsets [8, 16]"),
                arguments(
                        "one offset",
                        file(8, tensor("a", "F32", "[2]", "[0]")),
                        "data_offsets [begin, end], found [0]"),
                arguments(
                        "three offsets",
                        file(8, tensor("a", "F32", "[2]", "[0,8,8]")),
                        "at most 2 numbers in data_offsets"),
                arguments("offsets backwards", file(8, tensor("a", "F32", "[2]", "[8,0]")), "found [8, 0]"),
                arguments("offset negative", file(8, tensor("a", "F32", "[2]", "[-8,0]")), "found \"-8\""),
                arguments("offsets out of range", file(8, tensor("a", "F32", "[2]", "[8,16]")), "data_offsets up to 8"),
                arguments(
                        "huge tensor",
                        file(8, tensor("a", "F32", "[100000000000000]", "[0,400000000000000]")),
                        "data_offsets up to 8"),
                arguments(
                        "overlap",
                        file(12, A, tensor("b", "F32", "[2]", "[4,12]")),
                        "tensor \"b\": expected data_offsets from 8, found [4, 12], an overlap"),
                arguments("same bytes twice", file(8, A, tensor("b", "F32", "[2]", "[0,8]")), "an overlap"),
                arguments("hole", file(16, A, tensor("b", "F32", "[1]", "[12,16]")), "a hole in front of it"),
                arguments(
                        "hole at the start",
                        file(12, tensor("a", "F32", "[2]", "[4,12]")),
                        "tensor \"a\": expected data_offsets from 0"),
                arguments("empty tensor in a hole", file(8, A, tensor("b", "F32", "[0]", "[4,4]")), "tensor \"b\""),
                arguments(
                        "trailing bytes",
                        file(9, A),
                        "data byte 8: expected the end of the file, as no tensor claims more, found 1 bytes"),
                arguments("data without tensors", HandMade.file("{}", 4), "data byte 0: expected the end of the file"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("files")
    void isRefused(String name, byte[] bytes, String message) {
        ModelFileException e = assertTimeoutPreemptively(
                Duration.ofSeconds(20),
                () -> assertThrows(ModelFileException.class, () -> HandMade.read(folder, bytes)));
        assertTrue(e.getMessage().contains(message), () -> name + ": " + e.getMessage());
        assertTrue(e.getMessage().startsWith(e.file() + ": " + e.place() + ": expected "), e::getMessage);
        assertEquals(folder.resolve("hand-made.safetensors").toString(), e.file());
        assertTrue(e.getMessage().length() < 700, e::getMessage);
        assertTrue(e.getMessage().chars().noneMatch(Character::isISOControl), e::getMessage);
    }

    /** It ends on a terminal. */
    @Test
    void whatAFileHoldsIsShortAndPrintableInAMessage() {
        String smile = Character.toString(0x1F600);
        String name = "\u001b[2J" + smile.repeat(76);
        IOException cause = new IOException();
        ModelFileException e = new ModelFileException(
                Path.of("f"), ModelFileException.brief(name + smile), "a\nb", "\uffff", "Mend it", cause);
        String place = "\"\\u001b[2J" + smile.repeat(76) + "...\"";
        assertEquals("f: " + place + ": expected a\\u000ab, found \\uffff. Mend it", e.getMessage());
        assertEquals(place, e.place());
        assertSame(cause, e.getCause());
        assertEquals("x".repeat(80), ModelFileException.shortened("x".repeat(80)));
    }

    @Test
    void theFileTheCasesStartFromIsGood() throws IOException {
        assertEquals(2, HandMade.read(folder, file(8, A)).tensors().get("a").size());
    }

    @Test
    void missingFileAndFolderAreNamed() {
        Path missing = folder.resolve("missing");
        ModelFileException e = assertThrows(ModelFileException.class, () -> SafeTensors.read(missing));
        assertEquals(missing + ": path: expected a file, found nothing. Check the path", e.getMessage());
        assertThrows(ModelFileException.class, () -> SafeTensors.read(folder));
    }

    /** A file of a terabyte that takes no room on the disk; nobody has the heap for it. */
    @Test
    void largerThanTheHeapIsRefusedBeforeAnythingIsAllocated() throws IOException {
        long size = 1L << 40;
        Path file = folder.resolve("huge.safetensors");
        Files.write(file, HandMade.file("{" + tensor("a", "U8", "[" + size + "]", "[0," + size + "]") + "}", 0));
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.setLength(sparse.length() + size);
        }
        assertLargerThanTheHeap(() -> SafeTensors.read(file));
        long half = Runtime.getRuntime().maxMemory() / 2;
        if (half > Integer.MAX_VALUE - 8) return; // then no array is too large for the heap
        Path array = sparse("large.npy", half);
        assertLargerThanTheHeap(() -> Npy.read(array));
    }

    /** Then a larger heap would not help. */
    @Test
    void largerThanAnArrayIsSaidToBe() throws IOException {
        Path array = sparse("huge.npy", 3_000_000_000L);
        assertLargerThanAnArray("file", () -> Npy.read(array));
        byte[] content = new byte[3_000_000];
        new Random(1).nextBytes(content);
        Path archive = claiming("huge.npz", content, (int) 3_000_000_000L);
        assertLargerThanAnArray("member \"a.npy\"", () -> ZipArchive.read(archive, name -> true));
    }

    @Test
    void aTensorLargerThanAnArrayIsSaidToBe() throws IOException, InterruptedException {
        long size = 3_000_000_000L;
        Path file = folder.resolve("large.safetensors");
        byte[] begin = HandMade.file("{" + tensor("a", "U8", "[" + size + "]", "[0," + size + "]") + "}", 0);
        Files.write(file, begin);
        sparse("large.safetensors", begin.length + size);
        String said = ChildJvm.withHeap(4096).run(Reading.class, file.toString());
        assertTrue(
                said.contains(
                        "tensor \"a\": expected at most 2147483639 bytes, what a Java array holds, found 3000000000"),
                said);
    }

    private static void assertLargerThanAnArray(String place, Executable read) {
        ModelFileException e = assertThrows(ModelFileException.class, read);
        assertEquals(
                e.file() + ": " + place + ": expected at most 2147483639 bytes, what a Java array holds, found"
                        + " 3000000000 bytes. Write a smaller one",
                e.getMessage());
    }

    /** Several arrays together may be more than one. */
    @Test
    void theHeapAloneLimitsWhatAnArchiveHolds() throws IOException {
        Path file = folder.resolve("many.npz");
        WholeFile.requireHeap(file, 3L << 30, 9L << 30);
        assertLargerThanTheHeap(() -> WholeFile.requireHeap(file, (3L << 30) + 1, 9L << 30));
    }

    /** Bytes that fit, but not with what the header becomes. */
    @Test
    void theHeadersShareOfTheHeapIsCounted() throws IOException {
        long heap = Runtime.getRuntime().maxMemory();
        Path file = sparse("header.safetensors", heap);
        try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
            bytes.write(HandMade.file(1000, new byte[0], new byte[0]));
        }
        assertLargerThanTheHeap(() -> SafeTensors.read(file));
    }

    @Test
    void aFileThatBecameShorterIsRefused() {
        InputStream seven = new ByteArrayInputStream(new byte[7]);
        IOException e = assertThrows(EOFException.class, () -> SafeTensorsReader.read(seven, 8));
        assertEquals(
                "a: reading: expected a readable file, found a file that became shorter while it was read. Check the"
                        + " file's permissions and disk",
                WholeFile.unreadable(Path.of("a"), e).getMessage());
    }

    @Test
    void whyAFileCannotBeReadIsSaidInWords() {
        assertEquals("no permission", WholeFile.reason(new AccessDeniedException("a")));
        assertEquals("no such file or folder", WholeFile.reason(new NoSuchFileException("a")));
        assertEquals("a", WholeFile.reason(new FileSystemException("a")));
        assertEquals("Is a directory", WholeFile.reason(new FileSystemException("a", null, "Is a directory")));
        assertEquals("java.io.IOException", WholeFile.reason(new IOException()));
    }

    private Path sparse(String name, long size) throws IOException {
        Path file = folder.resolve(name);
        try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
            bytes.setLength(size);
        }
        return file;
    }

    private static void assertLargerThanTheHeap(Executable read) {
        ModelFileException e = assertThrows(ModelFileException.class, read);
        assertTrue(e.getMessage().contains("larger -Xmx"), e::getMessage);
    }

    @Test
    void manyTensorsAreReadInReasonableTime() {
        StringBuilder header = new StringBuilder("{");
        for (int i = 0; i < 50_000; i++) {
            header.append(i == 0 ? "" : ",").append(tensor("t" + i, "U8", "[0]", "[0,0]"));
        }
        SafeTensors read = assertTimeoutPreemptively(
                Duration.ofSeconds(20), () -> HandMade.read(folder, HandMade.file(header + "}", 0)));
        assertEquals(50_000, read.tensors().size());
    }

    @Test
    void truncatedAtAnyByte() throws IOException {
        byte[] whole = small();
        for (int length = 0; length < whole.length; length++) {
            byte[] part = Arrays.copyOf(whole, length);
            assertThrows(ModelFileException.class, () -> HandMade.read(folder, part), "cut to " + length + " bytes");
        }
        assertArrayEquals(whole, written(HandMade.read(folder, whole)));
    }

    @Test
    void truncatedAtEvery64thByteOfALargerFile() throws IOException {
        byte[] whole = written(new SafeTensors(
                Map.of("w", NdArray.ofDoubles(new double[4096], 64, 64)), Map.of("config", "x".repeat(5000))));
        for (int length = 0; length < whole.length; length += 64) {
            byte[] part = Arrays.copyOf(whole, length);
            assertThrows(ModelFileException.class, () -> HandMade.read(folder, part), "cut to " + length + " bytes");
        }
    }

    /** Most of the damage falls on the header, where it is interesting. */
    @Test
    void randomMutations() throws IOException {
        Path file = folder.resolve("mutated.safetensors");
        Files.write(file, small());
        int refused = Mutations.check(file, 400, SafeTensors::read);
        assertTrue(refused > 1000, refused + " of 2000 refused");
    }

    /** Fifty bytes that claim a hundred million. */
    @Test
    void anEntryThatClaimsMoreThanDeflateMakesIsRefused() throws IOException {
        Path file = claiming("bomb.npz", new byte[1000], 100_000_000);
        ModelFileException e = assertThrows(ModelFileException.class, () -> ZipArchive.read(file, name -> true));
        assertTrue(e.getMessage().contains("member \"a.npy\": expected a size that "), e::getMessage);
        assertTrue(e.getMessage().contains(" bytes can expand to, found 100000000"), e::getMessage);
    }

    /** What is read of the larger one has the right checksum. */
    @ParameterizedTest
    @CsvSource({"1001, 1000", "999, more"})
    void aMemberOfAnotherSizeIsRefused(int size, String found) throws IOException {
        Path file = claiming("other.npz", new byte[1000], size);
        ModelFileException e = assertThrows(ModelFileException.class, () -> ZipArchive.read(file, name -> true));
        assertTrue(
                e.getMessage().contains("member \"a.npy\": expected " + size + " bytes, found " + found + "."),
                e::getMessage);
    }

    @Test
    void whatIsNotWantedIsNotRead() throws IOException {
        Path file = claiming("two.zip", new byte[1000], 100_000_000);
        try (FileSystem zip = FileSystems.newFileSystem(file)) {
            Files.createDirectory(zip.getPath("b.npy"));
            Files.writeString(zip.getPath("b.npy", "c"), "good");
        }
        assertEquals(Map.of(), ZipArchive.read(file, name -> name.startsWith("b.npy") && !name.endsWith("c")));
        Map<String, byte[]> read = ZipArchive.read(file, name -> !name.startsWith("a"));
        assertEquals(Set.of("b.npy/c"), read.keySet());
    }

    /** A zip file with one member, and this size in its directory. */
    private Path claiming(String name, byte[] content, int size) throws IOException {
        Path file = folder.resolve(name);
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
            zip.putNextEntry(new ZipEntry("a.npy"));
            zip.write(content);
        }
        byte[] bytes = Files.readAllBytes(file);
        String latin1 = new String(bytes, StandardCharsets.ISO_8859_1);
        int at = latin1.lastIndexOf("PK\1\2") + 24; // the directory's entry
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(at, size);
        Files.write(file, bytes);
        return file;
    }

    private byte[] small() throws IOException {
        return written(SafeTensorsTest.mixed());
    }

    private byte[] written(SafeTensors contents) throws IOException {
        Path file = folder.resolve("written.safetensors");
        contents.write(file);
        return Files.readAllBytes(file);
    }
}
