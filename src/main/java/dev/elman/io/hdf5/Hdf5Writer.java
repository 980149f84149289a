package dev.elman.io.hdf5;

import dev.elman.io.DType;
import dev.elman.io.NdArray;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes the least HDF5 that holds float arrays in groups: superblock of version 0, object headers of version 1, links within
 * the groups' headers, contiguous data. It is written here because jhdf 0.13.0 cannot write a group without members, which
 * Keras's loader asks for.
 *
 * <p>Format: <a href="https://docs.hdfgroup.org/hdf5/v1_14/_f_m_t3.html">HDF5 file format 3.0</a>; the names of its messages
 * are used here.
 */
final class Hdf5Writer {
    private static final int SUPERBLOCK = 96;
    private static final int HEADER = 16;
    private static final int MESSAGE = 8;
    private static final long UNDEFINED = -1;
    /** Its length has one byte. */
    private static final int LONGEST_NAME = 255;
    /** HDF5's own limit. */
    private static final int MAX_RANK = 32;
    /** The number of a header's messages has two bytes, and one of them is not a member's. */
    private static final int MOST_MEMBERS = 0xFFFF - 1;

    private static final int DATASPACE = 1;
    private static final int LINK_INFO = 2;
    private static final int DATATYPE = 3;
    private static final int FILL_VALUE = 5;
    private static final int LINK = 6;
    private static final int LAYOUT = 8;

    /** IEEE 754 binary32, little endian, sign in bit 31: version 1, class 1. */
    private static final byte[] FLOAT32 = {0x11, 0x20, 31, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0};

    /** A group by the names of its members, or the array of a dataset; placed before its bytes are made. */
    private static final class Node {
        private final Map<String, Node> members = new LinkedHashMap<>();
        private final NdArray array;
        private long address;
        private long dataAddress;

        Node(NdArray array) {
            this.array = array;
        }
    }

    private final Node root = new Node(null);
    private long end = SUPERBLOCK;

    private Hdf5Writer() {}

    static void write(Map<String, NdArray> arrays, Collection<String> groups, OutputStream out) throws IOException {
        Hdf5Writer writer = new Hdf5Writer();
        groups.forEach(writer::group);
        arrays.forEach(writer::dataset);
        List<Node> nodes = new ArrayList<>();
        writer.place(writer.root, nodes);
        out.write(writer.superblock());
        for (Node node : nodes) {
            out.write(header(node));
            if (node.array != null) out.write(padded(node.array));
        }
    }

    private Node group(String path) {
        Node node = root;
        for (String name : path.split("/", -1)) {
            if (name.isEmpty()) continue;
            requireName(path, name);
            node = node.members.computeIfAbsent(name, absent -> new Node(null));
            if (node.array != null) throw new IllegalArgumentException(path + ": " + name + " is an array, no group");
        }
        return node;
    }

    private void dataset(String path, NdArray array) {
        if (array.dtype() != DType.F32) throw new IllegalArgumentException(path + ": expected F32, found " + array);
        if (array.shape().length > MAX_RANK) {
            throw new IllegalArgumentException(path + ": HDF5 has at most " + MAX_RANK + " axes, found " + array);
        }
        int slash = path.lastIndexOf('/');
        String name = path.substring(slash + 1);
        requireName(path, name);
        Node before = group(path.substring(0, Math.max(slash, 0))).members.put(name, new Node(array));
        if (before != null) throw new IllegalArgumentException(path + ": there is another of this name");
    }

    private static void requireName(String path, String name) {
        if (name.matches("\\p{ASCII}{1," + LONGEST_NAME + "}")) return;
        throw new IllegalArgumentException(
                path + ": names must be 1 to " + LONGEST_NAME + " characters of ASCII, but one is " + name);
    }

    private void place(Node node, List<Node> nodes) {
        nodes.add(node);
        node.address = end;
        end += header(node).length;
        if (node.array != null) {
            node.dataAddress = end;
            end += paddedSize(node.array);
        }
        for (Node member : node.members.values()) place(member, nodes);
    }

    private byte[] superblock() {
        return buffer(SUPERBLOCK)
                .put(Hdf5.SIGNATURE)
                .put(new byte[] {0, 0, 0, 0, 0, Long.BYTES, Long.BYTES, 0})
                .putShort((short) 4)
                .putShort((short) 16)
                .putInt(0)
                .putLong(0) // base address
                .putLong(UNDEFINED) // free space
                .putLong(end)
                .putLong(UNDEFINED) // driver information
                .putLong(0) // the root has no name
                .putLong(root.address)
                .array();
    }

    /** An object header; its length does not depend on the addresses in it. */
    private static byte[] header(Node node) {
        List<byte[]> messages = node.array == null ? groupMessages(node) : datasetMessages(node);
        int size = messages.stream().mapToInt(message -> message.length).sum();
        byte[] bytes = new byte[HEADER + size];
        ByteBuffer header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        header.put((byte) 1).put((byte) 0).putShort((short) messages.size());
        header.putInt(1); // references
        header.putInt(size).putInt(0);
        messages.forEach(header::put);
        return bytes;
    }

    private static List<byte[]> groupMessages(Node group) {
        if (group.members.size() > MOST_MEMBERS) {
            throw new IllegalArgumentException("expected groups of at most " + MOST_MEMBERS
                    + " arrays and groups, but one has " + group.members.size());
        }
        List<byte[]> messages = new ArrayList<>();
        messages.add(message(
                LINK_INFO, buffer(18).put(new byte[2]).putLong(UNDEFINED).putLong(UNDEFINED)));
        group.members.forEach((name, member) -> {
            byte[] text = name.getBytes(StandardCharsets.US_ASCII);
            messages.add(message(
                    LINK,
                    buffer(3 + text.length + Long.BYTES)
                            .put((byte) 1)
                            .put((byte) 0)
                            .put((byte) text.length)
                            .put(text)
                            .putLong(member.address)));
        });
        return messages;
    }

    private static List<byte[]> datasetMessages(Node dataset) {
        long[] shape = dataset.array.shape();
        ByteBuffer space = buffer(8 + Long.BYTES * shape.length).put((byte) 1).put((byte) shape.length);
        space.position(8);
        for (long extent : shape) space.putLong(extent);
        long size = dataset.array.bytes().remaining();
        ByteBuffer layout = buffer(18)
                .put((byte) 3)
                .put((byte) 1)
                .putLong(size == 0 ? UNDEFINED : dataset.dataAddress)
                .putLong(size);
        return List.of(
                message(DATASPACE, space),
                message(DATATYPE, ByteBuffer.wrap(FLOAT32)),
                message(FILL_VALUE, ByteBuffer.wrap(new byte[] {2, 2, 2, 0})), // none, and space as data come
                message(LAYOUT, layout));
    }

    private static byte[] message(int type, ByteBuffer body) {
        body.rewind();
        int size = (body.remaining() + 7) / 8 * 8;
        return buffer(MESSAGE + size)
                .putShort((short) type)
                .putShort((short) size)
                .putInt(0) // flags
                .put(body)
                .array();
    }

    /** The elements, so that what follows begins at a multiple of 8. */
    private static byte[] padded(NdArray array) {
        return buffer(paddedSize(array)).put(array.bytes()).array();
    }

    private static int paddedSize(NdArray array) {
        return (array.bytes().remaining() + 7) / 8 * 8;
    }

    private static ByteBuffer buffer(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }
}
