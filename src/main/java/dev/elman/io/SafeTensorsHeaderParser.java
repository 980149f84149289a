package dev.elman.io;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import dev.elman.io.SafeTensorsHeader.Slot;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads the header token by token and accepts nothing that the format does not name; so no depth, repetition or other
 * junk costs more than its bytes. Where the tensors lie in the file is for {@link SafeTensorsReader} to judge.
 */
final class SafeTensorsHeaderParser {
    /** A whole number without sign, zeros in front or exponent, below 10^18 so that it fits a long. */
    private static final Pattern COUNT = Pattern.compile("0|[1-9][0-9]{0,17}");

    private static final Pattern POSITION = Pattern.compile(" at line \\d+ column \\d+");

    static final String DAMAGED = "The file is no safetensors file or is damaged: write or copy it again";

    private final Path file;
    private final JsonReader json;
    /** Which tensor or entry is being read, for messages. */
    private String place = "header";

    private SafeTensorsHeaderParser(Path file, byte[] header) {
        this.file = file;
        this.json = new JsonReader(new InputStreamReader(
                new ByteArrayInputStream(header),
                StandardCharsets.UTF_8
                        .newDecoder()
                        .onMalformedInput(CodingErrorAction.REPORT)
                        .onUnmappableCharacter(CodingErrorAction.REPORT)));
        json.setStrictness(Strictness.STRICT);
    }

    static SafeTensorsHeader parse(Path file, byte[] header) throws ModelFileException {
        if (header[0] != '{') {
            throw new ModelFileException(
                    file, "byte " + SafeTensorsHeader.LENGTH_BYTES, "'{'", "byte " + (header[0] & 0xff), DAMAGED);
        }
        SafeTensorsHeaderParser parser = new SafeTensorsHeaderParser(file, header);
        try {
            return parser.header();
        } catch (ModelFileException e) {
            throw e;
        } catch (CharacterCodingException e) {
            throw new ModelFileException(file, parser.place, "UTF-8", "other bytes", DAMAGED, e);
        } catch (IOException | IllegalStateException | NumberFormatException e) {
            throw new ModelFileException(file, parser.place, "JSON", "malformed text" + position(e), DAMAGED, e);
        }
    }

    private SafeTensorsHeader header() throws IOException {
        List<Slot> slots = new ArrayList<>();
        Map<String, String> metadata = null;
        Set<String> names = new HashSet<>();
        json.beginObject();
        while (json.hasNext()) {
            place = "header";
            String name = newName(names::add);
            if (name.equals(SafeTensorsHeader.METADATA)) {
                metadata = metadata();
            } else {
                place = "tensor " + ModelFileException.brief(name);
                slots.add(slot(name));
            }
        }
        json.endObject();
        place = "end of the header";
        require(JsonToken.END_DOCUMENT, "nothing but spaces"); // or Gson finds more, and throws
        return new SafeTensorsHeader(slots, Objects.requireNonNullElse(metadata, Map.of()));
    }

    private Map<String, String> metadata() throws IOException {
        Map<String, String> metadata = new LinkedHashMap<>();
        place = SafeTensorsHeader.METADATA;
        require(JsonToken.BEGIN_OBJECT, "an object");
        json.beginObject();
        while (json.hasNext()) {
            place = SafeTensorsHeader.METADATA;
            String key = newName(name -> !metadata.containsKey(name));
            place = "metadata " + ModelFileException.brief(key);
            metadata.put(key, text());
        }
        json.endObject();
        return metadata;
    }

    private Slot slot(String name) throws IOException {
        DType dtype = null;
        long[] shape = null;
        long[] offsets = null;
        Set<String> fields = new HashSet<>();
        require(JsonToken.BEGIN_OBJECT, "an object with dtype, shape and data_offsets");
        json.beginObject();
        while (json.hasNext()) {
            String field = newName(fields::add);
            switch (field) {
                case "dtype" -> dtype = dtype();
                case "shape" -> shape = counts("shape", NdArray.MAX_RANK);
                case "data_offsets" -> offsets = counts("data_offsets", 2);
                default -> throw error("dtype, shape and data_offsets", ModelFileException.brief(field));
            }
        }
        json.endObject();
        if (dtype == null || shape == null || offsets == null) {
            throw error("dtype, shape and data_offsets", "only " + fields);
        }
        if (offsets.length != 2) {
            throw error("data_offsets [begin, end]", Arrays.toString(offsets));
        }
        return new Slot(name, dtype, shape, offsets[0], offsets[1]);
    }

    private DType dtype() throws IOException {
        String name = text();
        for (DType dtype : DType.values()) {
            if (dtype.name().equals(name)) {
                return dtype;
            }
        }
        throw error("a dtype of " + Arrays.toString(DType.values()), ModelFileException.brief(name));
    }

    private long[] counts(String field, int limit) throws IOException {
        require(JsonToken.BEGIN_ARRAY, "an array as " + field);
        long[] counts = new long[limit];
        int size = 0;
        json.beginArray();
        while (json.hasNext()) {
            if (size == limit) {
                throw error("at most " + limit + " numbers in " + field, "more");
            }
            require(JsonToken.NUMBER, "whole numbers in " + field); // Gson would also take a string
            String number = json.nextString();
            if (!COUNT.matcher(number).matches()) {
                throw error("whole numbers from 0 to 10^18 in " + field, ModelFileException.brief(number));
            }
            counts[size++] = Long.parseLong(number);
        }
        json.endArray();
        return Arrays.copyOf(counts, size);
    }

    /** The next name. Gson accepts a repeated one, the format does not. */
    private String newName(Predicate<String> isNew) throws IOException {
        String name = json.nextName();
        if (!isNew.test(name)) {
            throw error("each name once", ModelFileException.brief(name) + " again");
        }
        return name;
    }

    private String text() throws IOException {
        require(JsonToken.STRING, "a string"); // Gson would also take a number
        return json.nextString();
    }

    private void require(JsonToken wanted, String expected) throws IOException {
        JsonToken found = json.peek();
        if (found != wanted) {
            throw error(expected, found.toString());
        }
    }

    private ModelFileException error(String expected, String found) {
        return new ModelFileException(file, place, expected, found, DAMAGED);
    }

    /** Where Gson's message puts the fault; the rest of it speaks of Gson's settings. */
    private static String position(Exception e) {
        Matcher position = POSITION.matcher(String.valueOf(e.getMessage()));
        return position.find() ? position.group() : "";
    }
}
