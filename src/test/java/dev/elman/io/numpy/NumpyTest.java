package dev.elman.io.numpy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.contract.ChildJvm;
import dev.elman.io.DType;
import dev.elman.io.ModelFileException;
import dev.elman.io.Mutations;
import dev.elman.io.NdArray;
import dev.elman.io.Python;
import dev.elman.io.Reading;
import dev.elman.io.ZipArchive;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TimeZone;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NumpyTest {
    private static final float[] SIX = {0, 1, 2, 3, 4, 5};

    @TempDir
    private Path folder;

    @Test
    void numpyReadsOursAndWeReadNumpys() throws IOException {
        Npy.write(NdArray.ofFloats(SIX, 2, 3), path("ours_f4_2_3.npy"));
        Npy.write(NdArray.ofDoubles(new double[] {0, 1, 2, 3}, 1, 2, 2), path("ours_f8_1_2_2.npy"));
        Npy.write(NdArray.ofInts(new int[] {0, 1, 2}, 3), path("ours_i4_3.npy"));
        Npy.write(NdArray.ofLongs(new long[] {0}), path("ours_i8.npy"));
        Npy.write(NdArray.ofFloats(new float[0], 0, 7), path("ours_f4_0_7.npy"));
        Npy.write(NdArray.ofBytes(DType.U8, new byte[] {0, 1}, 2), path("ours_u1_2.npy"));
        Npz.write(two(), path("ours.npz"));
        Python.run("NumpyTest", "numpy", "numpy_cases.py", folder);

        int read = 0;
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "theirs_*.npy")) {
            for (Path file : files) {
                String[] parts = String.valueOf(file.getFileName()).split("_", -1);
                NdArray array = Npy.read(file);
                assertEquals(NpyHeader.TYPES.get(parts[1]), array.dtype(), file.toString());
                long[] shape = parts[3].isEmpty()
                        ? new long[0]
                        : Arrays.stream(parts[3].split("x"))
                                .mapToLong(Long::parseLong)
                                .toArray();
                assertArrayEquals(shape, array.shape(), file.toString());
                double[] expected = IntStream.range(0, array.size())
                        .mapToDouble(i -> parts[1].equals("b1") ? Math.min(i, 1) : i)
                        .toArray();
                assertArrayEquals(expected, numbers(array), file.toString());
                read++;
            }
        }
        assertEquals(18 * 2 * 5, read);
        NdArray six = NdArray.ofFloats(SIX, 2, 3);
        assertEquals(six, Npy.read(path("version_2.npy")));
        assertEquals(six, Npy.read(path("version_3.npy")));
        for (String name : List.of("theirs.npz", "theirs_packed.npz")) {
            Map<String, NdArray> arrays = Npz.read(path(name));
            assertEquals(List.of("a", "b"), List.copyOf(arrays.keySet()));
            assertEquals(six, arrays.get("a"));
            assertEquals(NdArray.ofDoubles(new double[] {0, 1, 2, 3, 4, 5}, 2, 3), arrays.get("b"));
        }
        for (String name : List.of("object", "text", "complex", "record")) {
            ModelFileException e = assertThrows(ModelFileException.class, () -> Npy.read(path(name + ".npy")));
            assertTrue(e.getMessage().contains("array.astype"), e.getMessage());
        }
    }

    private static double[] numbers(NdArray array) {
        ByteBuffer bytes = array.bytes();
        return IntStream.range(0, array.size())
                .mapToDouble(i -> switch (array.dtype()) {
                    case BOOL, I8, U8 -> bytes.get(i);
                    case I16, U16 -> bytes.getShort(2 * i);
                    case I32, U32 -> bytes.getInt(4 * i);
                    case I64, U64 -> bytes.getLong(8 * i);
                    default -> array.toFloats()[i];
                })
                .toArray();
    }

    private static Map<String, NdArray> two() {
        Map<String, NdArray> arrays = new LinkedHashMap<>();
        arrays.put("a", NdArray.ofFloats(SIX, 2, 3));
        arrays.put("b.c", NdArray.ofLongs(new long[] {0, 1, 2, 3}, 4));
        return arrays;
    }

    /** By the format's description, where there is no NumPy. The file has 24 numbers, those of the answer are 0, 1, 2... */
    @ParameterizedTest
    @CsvSource({"1, <, False", "2, >, False", "3, <, True", "1, >, True"})
    void everyVersionByteOrderAndMemoryOrderIsRead(int version, char endian, String fortran) throws IOException {
        String header = "{'descr': '" + endian + "i2', 'fortran_order': " + fortran + ", 'shape': (2, 3, 4), }";
        ByteBuffer bytes = ByteBuffer.allocate(200).order(ByteOrder.LITTLE_ENDIAN);
        bytes.put(NpyHeader.MAGIC).put((byte) version).put((byte) 0);
        if (version == 1) bytes.putShort((short) header.length());
        else bytes.putInt(header.length());
        bytes.put(header.getBytes(StandardCharsets.US_ASCII));
        bytes.order(endian == '>' ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < 24; i++) {
            int inFortran = i % 2 * 12 + i / 2 % 3 * 4 + i / 6;
            bytes.putShort((short) (fortran.equals("True") ? inFortran : i));
        }
        Files.write(path("a.npy"), Arrays.copyOf(bytes.array(), bytes.position()));
        ByteBuffer expected = ByteBuffer.allocate(48).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < 24; i++) expected.putShort((short) i);
        assertEquals(NdArray.ofBytes(DType.I16, expected.array(), 2, 3, 4), Npy.read(path("a.npy")));
    }

    /** As NumPy 2.4 writes them. */
    @Test
    void writesTheBytesThatNumpyWrites() throws IOException {
        assertWritten("'<f4', 'fortran_order': False, 'shape': (2, 3)", NdArray.ofFloats(SIX, 2, 3));
        assertWritten("'<i8', 'fortran_order': False, 'shape': (1,)", NdArray.ofLongs(new long[] {7}, 1));
        assertWritten("'|u1', 'fortran_order': False, 'shape': ()", NdArray.ofBytes(DType.U8, new byte[] {7}));
    }

    private void assertWritten(String header, NdArray array) throws IOException {
        Npy.write(array, path("a.npy"));
        String text = "\u0093NUMPY\1\0v\0" + "{'descr': " + header + ", }";
        byte[] begin = (text + " ".repeat(127 - text.length()) + "\n").getBytes(StandardCharsets.ISO_8859_1);
        byte[] expected = Arrays.copyOf(begin, 128 + array.bytes().remaining());
        array.bytes().get(expected, 128, expected.length - 128);
        assertArrayEquals(expected, Files.readAllBytes(path("a.npy")));
        assertEquals(array, Npy.read(path("a.npy")));
    }

    /** Headers of 69 lengths, and nothing behind them. */
    @Test
    void dataBeginAtAMultipleOf64() throws IOException {
        for (int rank = 2; rank <= 24; rank++) {
            for (long last : new long[] {1, 10, 100}) {
                long[] shape = new long[rank];
                shape[rank - 1] = last;
                NdArray array = NdArray.ofFloats(new float[0], shape);
                Npy.write(array, path("a.npy"));
                assertEquals(0, Files.size(path("a.npy")) % 64, array.toString());
                assertEquals(array, Npy.read(path("a.npy")));
            }
        }
    }

    @Test
    void whatWeWriteWeReadAndTheSameBytesEachTime() throws IOException {
        Npz.write(two(), path("one.npz"));
        Npz.write(two(), path("two.npz"));
        assertEquals(two(), Npz.read(path("one.npz")));
        TimeZone here = TimeZone.getDefault();
        TimeZone.setDefault(TimeZone.getTimeZone("Asia/Tokyo"));
        Npz.write(two(), path("far.npz"));
        TimeZone.setDefault(here);
        byte[] first = Files.readAllBytes(path("one.npz"));
        assertArrayEquals(first, Files.readAllBytes(path("two.npz")));
        assertArrayEquals(first, Files.readAllBytes(path("far.npz")), "in another time zone");
        NdArray half = NdArray.ofBytes(DType.BF16, new byte[2]);
        assertThrows(IllegalArgumentException.class, () -> Npy.write(half, path("half.npy")));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'descr':'<f4','fortran_order':False,'shape':(2,3)}          | 24 | good",
                "{\"shape\": (2L, 3L,), 'fortran_order': False, 'descr': '<f4',} | 24 | good",
                "{'descr':'<f4','fortran_order':False,'shape':(2,3)}          | 23 | data from byte 61: expected 24 bytes for F32 [2, 3], found 23",
                "{'descr':'<f4','fortran_order':False,'shape':(2,3)}          | 25 | found 25",
                "{'descr':'<f4','fortran_order':False,'shape':(2,-3)}         | 24 | shape: expected a tuple of whole numbers",
                "{'descr':'<f4','fortran_order':False,'shape':(6)}            | 24 | shape: expected a tuple",
                "{'descr':'<f4','fortran_order':False,'shape':6}              | 24 | shape: expected a tuple",
                "{'descr':'<f4','fortran_order':False,'shape':(999999999999,999999999999)} | 24 | shape: expected less than 2^63 bytes",
                "{'descr':'<f4','fortran_order':False,'shape':(99999999999999999999,)} | 24 | shape: expected a tuple of whole numbers",
                "{'descr':'<f4','fortran_order':False,'shape':(999999999,)}   | 24 | expected 3999999996 bytes",
                "{'descr':'<f4','fortran_order':Maybe,'shape':(2,3)}          | 24 | fortran_order: expected True or False",
                "{'descr':'f4','fortran_order':False,'shape':(2,3)}           | 24 | descr: expected numbers",
                "{'descr':'=f4','fortran_order':False,'shape':(2,3)}          | 24 | descr: expected numbers",
                "`{'descr':'|i2','fortran_order':False,'shape':(2,3)}`        | 12 | descr: expected numbers",
                "{'descr':\"\",'fortran_order':False,'shape':(2,3)}             | 24 | descr: expected numbers",
                "{'descr':'<f4','fortran_order':False}                        | 24 | header: expected descr",
                "{'descr':'<f4','descr':'<f4','shape':(2,3)}                  | 24 | header: expected each name once, found \"descr\" again",
                "{'descr':'<f4','fortran_order':False,'shape':(2,3)           | 24 | header: expected a dictionary",
                "{'descr':'<f4','fortran_order':False,'shape':(2,3),'x':1}    | 24 | header: expected descr",
                "{'descr':'<f4' 'fortran_order':False,'shape':(2,3)}          | 24 | header: expected entries",
                "'descr'                                                      | 24 | header: expected a dictionary",
            })
    void aWrongHeaderIsNamed(String header, int dataBytes, String message) throws IOException {
        byte[] text = header.getBytes(StandardCharsets.US_ASCII);
        byte[] bytes = ByteBuffer.allocate(10 + text.length + dataBytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(NpyHeader.MAGIC)
                .put((byte) 1)
                .put((byte) 0)
                .putShort((short) text.length)
                .put(text)
                .array();
        Files.write(path("a.npy"), bytes);
        if (message.equals("good")) {
            assertEquals(NdArray.ofFloats(new float[6], 2, 3), Npy.read(path("a.npy")));
            return;
        }
        ModelFileException e = assertThrows(ModelFileException.class, () -> Npy.read(path("a.npy")));
        assertTrue(e.getMessage().contains(message), e.getMessage());
        assertEquals(path("a.npy").toString(), e.file());
    }

    @Test
    void aWrongBeginIsNamed() throws IOException {
        assertBegin("\u0093NUMPY\1\0\2", "file: expected at least 10 bytes, found 9");
        assertBegin("\u0092NUMPY\1\0\2\0{}", "bytes 0 to 5: expected \\x93NUMPY, found something else");
        assertBegin("\u0093NUMPY\0\0\2\0{}", "byte 6, the version: expected 1, 2 or 3, found 0");
        assertBegin("\u0093NUMPY\4\0\2\0\0\0{}", "byte 6, the version: expected 1, 2 or 3, found 4");
        assertBegin("\u0093NUMPY\2\0\0\0\0", "file: expected at least 12 bytes, found 11");
        assertBegin("\u0093NUMPY\1\0\3\0{}", "byte 8, the header's length: expected at most 2, found 3");
        assertBegin("\u0093NUMPY\2\0\0\0\0\u0080{}", "expected at most 2, found 2147483648");
        assertBegin("\u0093NUMPY\1\0\u0011'" + " ".repeat(10_001), "expected at most 10000, found 10001");
        assertBegin("\u0093NUMPY\1\0\0\0", "header: expected a dictionary in braces, found \"\"");
    }

    private void assertBegin(String latin1, String message) throws IOException {
        Files.write(path("a.npy"), latin1.getBytes(StandardCharsets.ISO_8859_1));
        ModelFileException e = assertThrows(ModelFileException.class, () -> Npy.read(path("a.npy")));
        assertTrue(e.getMessage().contains(message), e.getMessage());
    }

    @Test
    void wrongMembersAreNamed() throws IOException {
        Path file = path("wrong.npz");
        try (ZipArchive.Writer zip = new ZipArchive.Writer(Files.newOutputStream(file))) {
            zip.store("readme.txt", new byte[3]);
        }
        assertRefused(file, "member \"readme.txt\": expected arrays only");
        Files.write(file, new byte[100]);
        assertRefused(file, "file: expected a zip file");
        assertRefused(path("missing.npz"), "path: expected a file, found nothing");
        assertRefused(folder, "path: expected a file, found something else");
    }

    @Test
    void anArchiveWithinAnArchiveIsReadToo() throws IOException {
        try (FileSystem outer = FileSystems.newFileSystem(path("outer.zip"), Map.of("create", "true"))) {
            Path inner = outer.getPath("/two.npz");
            Npz.write(two(), inner);
            assertEquals(two(), Npz.read(inner));
            Files.write(inner, new byte[100]);
            assertRefused(inner, "/two.npz: file: expected a zip file");
        }
    }

    /** What the heap's guard lets in, the heap can hold: the file's bytes and the array. */
    @ParameterizedTest
    @ValueSource(strings = {"'<f4','fortran_order':False", "'>f4','fortran_order':False", "'<f4','fortran_order':True"})
    void anArrayOfAlmostAThirdOfTheHeapIsRead(String kind) throws Exception {
        Path file = path("large.npy");
        int rows = 5 << 10;
        String header = "{'descr':" + kind + ",'shape':(" + rows + ",1024)}";
        try (OutputStream out = Files.newOutputStream(file)) {
            out.write(ByteBuffer.allocate(10 + header.length())
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .put(NpyHeader.MAGIC)
                    .putShort((short) 1)
                    .putShort((short) header.length())
                    .put(header.getBytes(StandardCharsets.US_ASCII))
                    .array());
            for (int row = 0; row < rows; row++) out.write(new byte[4096]);
        }
        String said = ChildJvm.withHeap(64).run(Reading.class, file.toString());
        assertTrue(said.contains("F32 [" + rows + ", 1024]"), said);
    }

    /** Each of them is. */
    @Test
    void membersThatAreTogetherMoreThanAThirdOfTheHeapAreRefused() throws IOException, InterruptedException {
        Path file = path("three.npz");
        NdArray tenMegabytes = NdArray.ofBytes(DType.U8, new byte[10 << 20], 10 << 20);
        Npz.write(Map.of("a", tenMegabytes, "b", tenMegabytes, "c", tenMegabytes), file);
        String said = ChildJvm.withHeap(64).run(Reading.class, file.toString());
        assertTrue(said.contains("up to 31457664. Start java with a larger -Xmx"), said);
    }

    @Test
    void oneWrongBitIsFound() throws IOException {
        Path file = path("whole.npz");
        Npz.write(two(), file);
        byte[] bytes = Files.readAllBytes(file);
        bytes[170] ^= 1; // in the data of the first member, behind 35 bytes of the zip's and 128 of the array's header
        Files.write(file, bytes);
        assertRefused(file, "member \"a.npy\": expected the checksum");
    }

    private static void assertRefused(Path file, String message) {
        ModelFileException e = assertThrows(ModelFileException.class, () -> Npz.read(file));
        assertTrue(e.getMessage().contains(message), e.getMessage());
    }

    @Test
    void damagedFiles() throws IOException {
        Npy.write(NdArray.ofFloats(new float[100], 4, 25), path("whole.npy"));
        int refused = Mutations.check(path("whole.npy"), 80, Npy::read);
        assertTrue(refused > 1000, refused + " of 2000 refused");
        Npz.write(two(), path("whole.npz"));
        refused = Mutations.check(path("whole.npz"), 700, Npz::read);
        assertTrue(refused > 1500, refused + " of 2000 refused");
    }

    private Path path(String name) {
        return folder.resolve(name);
    }
}
