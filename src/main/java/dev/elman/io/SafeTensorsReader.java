package dev.elman.io;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads a file of which nothing is believed. Nothing is allocated that the file's own length does not cover. */
final class SafeTensorsReader {
    static final String METADATA = "__metadata__";
    /** The reference implementation's limit. */
    private static final long LONGEST_HEADER = 100_000_000;

    private final Path file;
    private final Map<String, Described> described = new LinkedHashMap<>();
    private final Map<String, String> metadata = new LinkedHashMap<>();

    /** A tensor as the header tells of it. */
    private record Described(String name, DType dtype, List<Integer> shape, long begin, long end) {}

    private SafeTensorsReader(Path file) {
        this.file = file;
    }

    static SafeTensors read(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            return new SafeTensorsReader(file).read(channel);
        } catch (NoSuchFileException e) {
            throw new ModelFileException(file, "there is no such file.", e);
        }
    }

    private SafeTensors read(FileChannel channel) throws IOException {
        long size = channel.size();
        if (size < Long.BYTES) {
            throw wrong("is " + size + " bytes long, but a safetensors file begins with 8 bytes of header length");
        }
        long length = read(channel, 0, Long.BYTES).getLong();
        if (length < 2 || length > LONGEST_HEADER || length > size - Long.BYTES) {
            throw wrong("byte 0 gives a header length of " + Long.toUnsignedString(length) + ", but it must be 2 to "
                    + Math.min(LONGEST_HEADER, size - Long.BYTES));
        }
        header(text(read(channel, Long.BYTES, (int) length)));
        long begin = Long.BYTES + length;
        checkOffsets(size - begin);
        Map<String, SafeTensors.Entry> tensors = new LinkedHashMap<>();
        for (Described tensor : described.values()) {
            ByteBuffer data = read(channel, begin + tensor.begin, (int) (tensor.end - tensor.begin));
            tensors.put(tensor.name, new SafeTensors.Entry(tensor.dtype, tensor.shape, data));
        }
        return new SafeTensors(tensors, metadata);
    }

    private ByteBuffer read(FileChannel channel, long position, int count) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining()) {
            if (channel.read(bytes, position + bytes.position()) < 0) {
                throw wrong("ended at byte " + (position + bytes.position()) + " while it was read");
            }
        }
        return bytes.flip();
    }

    private String text(ByteBuffer header) throws ModelFileException {
        String text;
        try {
            text = StandardCharsets.UTF_8.newDecoder().decode(header).toString();
        } catch (CharacterCodingException e) {
            throw new ModelFileException(file, "the header is not UTF-8. Is it a safetensors file?", e);
        }
        if (text.charAt(0) != '{') {
            throw wrong("the header must begin with '{' at byte 8, but begins with '" + text.charAt(0) + "'");
        }
        return text;
    }

    private void header(String text) throws ModelFileException {
        try (JsonReader json = new JsonReader(new StringReader(text))) {
            json.setStrictness(Strictness.STRICT);
            json.beginObject();
            boolean metadataSeen = false;
            while (json.hasNext()) {
                String name = json.nextName();
                if (name.equals(METADATA)) {
                    if (metadataSeen) throw wrong("names " + METADATA + " twice");
                    metadataSeen = true;
                    metadata(json);
                } else if (described.put(name, tensor(json, name)) != null) throw wrong("names " + name + " twice");
            }
            json.endObject();
            if (json.peek() != JsonToken.END_DOCUMENT) throw wrong("the header goes on after its last brace");
        } catch (ModelFileException e) {
            throw e;
        } catch (IOException | IllegalStateException | NumberFormatException e) {
            throw new ModelFileException(
                    file, "the header is not the JSON of a safetensors file: " + e.getMessage(), e);
        }
    }

    private void metadata(JsonReader json) throws IOException {
        json.beginObject();
        while (json.hasNext()) {
            String key = json.nextName();
            if (json.peek() != JsonToken.STRING) throw wrong("metadata " + key + " must be a string");
            if (metadata.put(key, json.nextString()) != null) throw wrong("names metadata " + key + " twice");
        }
        json.endObject();
    }

    private Described tensor(JsonReader json, String name) throws IOException {
        DType dtype = null;
        List<Long> shape = null;
        List<Long> offsets = null;
        json.beginObject();
        while (json.hasNext()) {
            String field = json.nextName();
            boolean again = switch (field) {
                case "dtype" -> dtype != null;
                case "shape" -> shape != null;
                case "data_offsets" -> offsets != null;
                default -> throw wrong("tensor " + name + " has the unknown field " + field);
            };
            if (again) throw wrong("tensor " + name + " has " + field + " twice");
            switch (field) {
                case "dtype" -> dtype = dtype(name, json.nextString());
                case "shape" -> shape = naturals(json, name);
                default -> offsets = naturals(json, name);
            }
        }
        json.endObject();
        if (dtype == null || shape == null || offsets == null || offsets.size() != 2) {
            throw wrong("tensor " + name + " must have dtype, shape and two data_offsets");
        }
        return described(name, dtype, shape, offsets.get(0), offsets.get(1));
    }

    private DType dtype(String name, String found) throws ModelFileException {
        for (DType dtype : DType.values()) {
            if (dtype.name().equals(found)) return dtype;
        }
        throw wrong("tensor " + name + " has dtype " + found + ", but only " + List.of(DType.values()) + " are read");
    }

    /** Whole numbers written as such: no sign, no fraction, no exponent, no quotes. */
    private List<Long> naturals(JsonReader json, String name) throws IOException {
        List<Long> values = new ArrayList<>();
        json.beginArray();
        while (json.hasNext()) {
            String value = json.peek() == JsonToken.NUMBER ? json.nextString() : null;
            if (value == null || !value.matches("0|[1-9][0-9]{0,17}")) {
                throw wrong("tensor " + name + " needs whole numbers as shape and offsets, but has "
                        + (value == null ? "something else" : value));
            }
            values.add(Long.parseLong(value));
        }
        json.endArray();
        return values;
    }

    private Described described(String name, DType dtype, List<Long> shape, long begin, long end)
            throws ModelFileException {
        long size = dtype.bytes();
        List<Integer> extents = new ArrayList<>();
        try {
            for (long extent : shape) {
                size = Math.multiplyExact(size, extent);
                extents.add(Math.toIntExact(extent));
            }
        } catch (ArithmeticException e) {
            throw new ModelFileException(file, "tensor " + name + " has the impossible shape " + shape + ".", e);
        }
        if (begin > end || end - begin != size) {
            throw wrong("tensor " + name + ", " + dtype + " " + shape + ", takes " + size
                    + " bytes, but its offsets are " + begin + " to " + end);
        }
        if (size > Integer.MAX_VALUE - 8) throw wrong("tensor " + name + " is larger than 2 GiB, which is not read");
        return new Described(name, dtype, extents, begin, end);
    }

    /** The tensors must fill the data exactly. */
    private void checkOffsets(long available) throws ModelFileException {
        List<Described> order = new ArrayList<>(described.values());
        order.sort(Comparator.comparingLong(Described::begin).thenComparingLong(Described::end));
        long reached = 0;
        for (Described tensor : order) {
            if (tensor.begin != reached) {
                throw wrong("tensor " + tensor.name + " begins at data byte " + tensor.begin
                        + ", but the one before ends at " + reached + ": they overlap or leave a hole");
            }
            reached = tensor.end;
        }
        if (reached != available) {
            throw wrong("the tensors take " + reached + " bytes, but the file holds " + available
                    + ". It is truncated, or something was added");
        }
    }

    private ModelFileException wrong(String problem) {
        return new ModelFileException(file, problem + ".");
    }
}
