package dev.elman.io.hdf5;

import dev.elman.io.ModelFileException;
import dev.elman.io.NdArray;
import io.jhdf.HdfFile;
import io.jhdf.api.Attribute;
import io.jhdf.api.Dataset;
import io.jhdf.api.Group;
import io.jhdf.api.Node;
import io.jhdf.api.dataset.ChunkedDataset;
import io.jhdf.object.datatype.DataType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

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

    private final Path file;
    private final String where;
    private final byte[] content;
    private final Map<String, NdArray> arrays = new LinkedHashMap<>();
    private final Map<String, List<String>> texts = new LinkedHashMap<>();
    private String place = "file";
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
            group(hdf, "", 0);
            return new Hdf5(arrays, texts);
        } catch (RuntimeException | StackOverflowError e) {
            throw wrong("HDF5", "damage (" + e + ")", e);
        } catch (OutOfMemoryError e) {
            throw tooLarge("more, as jhdf unpacks it", e);
        }
    }

    /** Compares with the length that the superblock states; jhdf reads a file without its tail as far as it goes. */
    private void requireWhole() throws ModelFileException {
        int version = content.length > 48 ? content[8] : -1;
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
            Object data = attribute.getData();
            if (data instanceof String text) texts.put(path + "@" + entry.getKey(), List.of(text));
            if (data instanceof String[] list) texts.put(path + "@" + entry.getKey(), List.copyOf(Arrays.asList(list)));
        }
    }

    private void array(Dataset dataset, String path) throws ModelFileException {
        attributes(dataset, path);
        place = ModelFileException.brief(path);
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
        Object data = dataset.isEmpty() ? null : dataset.isScalar() ? dataset.getData() : dataset.getDataFlat();
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
                file, where + place, expected, printable(found), "Write or copy the file again", cause);
    }

    private static String printable(String message) {
        String quoted = ModelFileException.brief(message.length() > 300 ? message.substring(0, 300) : message);
        return quoted.substring(1, quoted.length() - 1);
    }
}
