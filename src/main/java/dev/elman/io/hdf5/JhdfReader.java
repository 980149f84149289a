package dev.elman.io.hdf5;

import dev.elman.io.ModelFileException;
import dev.elman.io.NdArray;
import io.jhdf.GlobalHeap;
import io.jhdf.HdfFile;
import io.jhdf.api.Attribute;
import io.jhdf.api.Dataset;
import io.jhdf.api.Group;
import io.jhdf.api.Node;
import io.jhdf.api.dataset.ChunkedDataset;
import io.jhdf.filter.PipelineFilterWithData;
import io.jhdf.object.datatype.DataType;
import io.jhdf.object.datatype.FloatingPoint;
import io.jhdf.object.datatype.StringData;
import io.jhdf.storage.HdfBackingStorage;
import java.lang.reflect.Array;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Walks one file from the root. What jhdf does not expect of a damaged file ends in all kinds of its and the JDK's own
 * exceptions; all become ours. It reads from memory, where few lengths in the file can make it allocate more than there is:
 * those of arrays, strings and chunks, which are checked here. What it takes to unpack a chunk only the heap knows.
 */
final class JhdfReader {
    /** Links can make a group its own member. */
    private static final int MAX_DEPTH = 32;

    private static final int MAX_NODES = 100_000;
    /** Deflate makes at best 1032 bytes of one. */
    private static final long MOST_EXPANSION = 1032;

    private static final int SUPERBLOCK_VERSION = 8;
    private static final int FLETCHER32 = 3;
    private static final int LZF = 32000;

    private final Path file;
    private final String where;
    private final byte[] content;
    private final Map<String, NdArray> arrays = new LinkedHashMap<>();
    private final Map<String, List<String>> texts = new LinkedHashMap<>();
    private String place = "file";
    private HdfBackingStorage storage;
    private int nodes;

    JhdfReader(Path file, String where, byte[] content) {
        this.file = file;
        this.where = where;
        this.content = content;
    }

    Hdf5 read() throws ModelFileException {
        byte[] first = Arrays.copyOf(content, Hdf5.SIGNATURE.length);
        if (!Arrays.equals(first, Hdf5.SIGNATURE)) throw wrong("an HDF5 file", "something else", null);
        requireWhole();
        try (HdfFile hdf = HdfFile.fromBytes(content)) {
            storage = hdf.getHdfBackingStorage();
            group(hdf, "", 0);
            return new Hdf5(arrays, texts);
        } catch (RuntimeException | StackOverflowError e) {
            throw new ModelFileException(
                    file,
                    where + place,
                    "HDF5 as " + Hdf5.LIBRARY + " reads it",
                    ModelFileException.shortened("damage, or what it does not know (" + innermost(e) + ")"),
                    "Save the weights as float32, or write or copy the file again",
                    e);
        } catch (OutOfMemoryError e) {
            throw tooLarge("more, as jhdf unpacks it", e);
        }
    }

    private static Throwable innermost(Throwable e) {
        Throwable inner = e;
        while (inner.getCause() != null) inner = inner.getCause();
        return inner;
    }

    /** Compares with the length that the superblock states; jhdf reads a file without its tail as far as it goes. */
    private void requireWhole() throws ModelFileException {
        int version = content.length > 48 ? content[SUPERBLOCK_VERSION] : -1;
        if (version < 0 || version > 3) throw wrong("a superblock of version 0 to 3", "something else", null);
        int addressBytes = content[version < 2 ? 13 : 9];
        if (addressBytes != Long.BYTES) throw wrong("addresses of 8 bytes", addressBytes + " bytes", null);
        int at = version == 0 ? 40 : version == 1 ? 44 : 28;
        long length = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN).getLong(at);
        if (length > content.length) throw wrong(length + " bytes", content.length + ", the end is missing", null);
    }

    private void group(Group group, String path, int depth) throws ModelFileException {
        attributes(group, path);
        for (Map.Entry<String, Node> child : group.getChildren().entrySet()) {
            String name = path.isEmpty() ? child.getKey() : path + "/" + child.getKey();
            place = ModelFileException.brief(name);
            if (++nodes > MAX_NODES || depth > MAX_DEPTH) throw wrong("a tree of groups", "a cycle or a maze", null);
            Node node = child.getValue();
            if (node.isLink()) throw wrong("groups and arrays", "a link", null);
            if (node instanceof Group inner) group(inner, name, depth + 1);
            else if (node instanceof Dataset dataset) array(dataset, name);
        }
    }

    private void attributes(Node node, String path) throws ModelFileException {
        for (Map.Entry<String, Attribute> entry : node.getAttributes().entrySet()) {
            place = ModelFileException.brief(path + "@" + entry.getKey());
            Attribute attribute = entry.getValue();
            if (attribute.getJavaType() != String.class) continue;
            // An element is a string, or 16 bytes that say where it lies.
            requireSize(attribute.getDimensionsAsLong(), attribute.getDataType().getSize(), 1);
            if (attribute.isEmpty()) continue;
            texts.put(path + "@" + entry.getKey(), utf8(attribute));
        }
    }

    /** Keras marks its strings as ASCII, which jhdf believes, but writes the names of layers in UTF-8. */
    private List<String> utf8(Attribute attribute) {
        ByteBuffer elements = attribute.getBuffer().slice().order(ByteOrder.LITTLE_ENDIAN);
        DataType type = attribute.getDataType();
        List<String> strings = new ArrayList<>();
        while (strings.size() < attribute.getSize()) {
            ByteBuffer bytes = type instanceof StringData fixed ? padded(elements, fixed) : elsewhere(elements);
            strings.add(StandardCharsets.UTF_8.decode(bytes).toString());
        }
        return List.copyOf(strings);
    }

    private static ByteBuffer padded(ByteBuffer elements, StringData type) {
        ByteBuffer bytes = elements.slice(elements.position(), type.getSize());
        elements.position(elements.position() + type.getSize());
        type.getStringPaddingHandler().setBufferLimit(bytes);
        return bytes;
    }

    /** What an element of variable length stands for: its length, and its heap's address and its number there. */
    private ByteBuffer elsewhere(ByteBuffer elements) {
        int length = elements.getInt();
        long address = elements.getLong();
        int number = elements.getInt();
        if (length == 0) return ByteBuffer.allocate(0);
        ByteBuffer bytes = new GlobalHeap(storage, address).getObjectData(number);
        bytes.limit(Math.min(bytes.limit(), bytes.position() + length));
        int end = bytes.limit();
        while (end > bytes.position() && bytes.get(end - 1) == 0) end--; // as C ends strings
        return bytes.limit(end);
    }

    private void array(Dataset dataset, String path) throws ModelFileException {
        attributes(dataset, path);
        place = ModelFileException.brief(path);
        requireKnown(dataset);
        long[] shape = dataset.getDimensionsAsLong();
        long expansion = dataset.getFilters().isEmpty() ? 1 : MOST_EXPANSION;
        int width = dataset.getDataType().getSize();
        requireSize(shape, width, expansion);
        // A chunk is unpacked whole, however little of it the array fills.
        if (dataset instanceof ChunkedDataset chunked) {
            long[] chunk =
                    Arrays.stream(chunked.getChunkDimensions()).asLongStream().toArray();
            requireSize(chunk, width, expansion);
        }
        Object data = NdArray.elements(shape) == 0
                ? Array.newInstance(dataset.getJavaType(), 0)
                : dataset.isEmpty() ? null : dataset.isScalar() ? dataset.getData() : dataset.getDataFlat();
        NdArray array = array(data, shape);
        if (array == null) {
            throw new ModelFileException(
                    file,
                    where + place,
                    "numbers: floats, or integers of 4 bytes or more",
                    dataset.isEmpty() ? "no elements" : type(dataset.getDataType()),
                    "Save the weights as float32");
        }
        arrays.put(path, array);
    }

    /** What jhdf would give other numbers of than the file holds. */
    private void requireKnown(Dataset dataset) throws ModelFileException {
        if (dataset.getDataType() instanceof FloatingPoint type && !isIeee(type)) {
            throw unknown("floats of IEEE 754", "others of " + type.getSize() + " bytes, such as bfloat16");
        }
        if (!(dataset instanceof ChunkedDataset)) return;
        boolean newLayout = content[SUPERBLOCK_VERSION] >= 2;
        if (newLayout && !Arrays.equals(dataset.getMaxSize(), dataset.getDimensionsAsLong())) {
            throw unknown(
                    "an array of fixed size",
                    "chunks of one that may grow to " + Arrays.toString(dataset.getMaxSize()));
        }
        if (dataset.getFillValue() instanceof Number fill && fill.doubleValue() != 0) {
            throw unknown("chunks whose gaps are 0", "the fill value " + fill);
        }
        Set<Integer> filters =
                dataset.getFilters().stream().map(PipelineFilterWithData::getId).collect(Collectors.toSet());
        if (filters.containsAll(Set.of(LZF, FLETCHER32))) throw unknown("chunks packed by LZF alone", "checksums, too");
    }

    private static boolean isIeee(FloatingPoint type) {
        int exponent = type.getExponentSize();
        int mantissa = type.getMantissaSize();
        int bias = type.getExponentBias();
        return switch (type.getSize()) {
            case 2 -> exponent == 5 && mantissa == 10 && bias == 15;
            case 4 -> exponent == 8 && mantissa == 23 && bias == 127;
            case 8 -> exponent == 11 && mantissa == 52 && bias == 1023;
            default -> false;
        };
    }

    private ModelFileException unknown(String expected, String found) {
        return new ModelFileException(
                file, where + place, expected, found, "Save the weights as float32 and without chunks");
    }

    private static String type(DataType type) {
        String bytes = type.getSize() == 1 ? "1 byte" : type.getSize() + " bytes";
        return "jhdf's " + type.getClass().getSimpleName() + " of " + bytes;
    }

    /** Null for what an {@link NdArray} has no numbers for. */
    private static NdArray array(Object data, long[] shape) {
        if (data instanceof float[] values) return NdArray.ofFloats(values, shape);
        if (data instanceof double[] values) return NdArray.ofDoubles(values, shape);
        if (data instanceof int[] values) return NdArray.ofInts(values, shape);
        if (data instanceof long[] values) return NdArray.ofLongs(values, shape);
        if (data instanceof Float value) return NdArray.ofFloats(new float[] {value});
        if (data instanceof Double value) return NdArray.ofDoubles(new double[] {value});
        if (data instanceof Integer value) return NdArray.ofInts(new int[] {value});
        if (data instanceof Long value) return NdArray.ofLongs(new long[] {value});
        return null;
    }

    private void requireSize(long[] shape, int width, long expansion) throws ModelFileException {
        long size;
        try {
            size = Math.multiplyExact(NdArray.elements(shape), Math.max(1, width));
        } catch (ArithmeticException e) {
            throw wrong("less than 2^63 bytes", Arrays.toString(shape), e);
        }
        if (size > content.length * expansion) {
            throw wrong("what the file's " + content.length + " bytes can hold", size + " bytes", null);
        }
        if (size > Runtime.getRuntime().maxMemory() / 3) throw tooLarge(size + " bytes", null);
    }

    private ModelFileException tooLarge(String found, Throwable cause) {
        return new ModelFileException(
                file,
                where + place,
                "arrays and chunks of which a few fit into the heap of "
                        + Runtime.getRuntime().maxMemory() + " bytes",
                found,
                "Start java with a larger -Xmx, or write the file in smaller chunks",
                cause);
    }

    private ModelFileException wrong(String expected, String found, Throwable cause) {
        return new ModelFileException(
                file,
                where + place,
                expected,
                ModelFileException.shortened(found),
                "Write or copy the file again",
                cause);
    }
}
