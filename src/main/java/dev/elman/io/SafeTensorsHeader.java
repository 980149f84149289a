package dev.elman.io;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** The JSON at the start of a safetensors file: where each tensor lies, and the metadata. */
record SafeTensorsHeader(List<Slot> slots, Map<String, String> metadata) {
    static final String METADATA = "__metadata__";
    /** Bytes of the header's length, a little-endian u64 in front of it. */
    static final int LENGTH_BYTES = 8;
    /** The reference implementation's limit. */
    static final int MAX_LENGTH = 100_000_000;

    /** A tensor and its bytes [begin,end), counted from the end of the header. */
    @SuppressWarnings("ArrayRecordComponent") // slots are never compared
    record Slot(String name, DType dtype, long[] shape, long begin, long end) {}

    /** As UTF-8, padded with spaces so that the data begins at a multiple of 8 bytes. */
    byte[] toBytes() {
        StringWriter text = new StringWriter();
        try (JsonWriter json = new JsonWriter(text)) {
            json.beginObject();
            if (!metadata.isEmpty()) {
                json.name(METADATA).beginObject();
                for (Map.Entry<String, String> entry : metadata.entrySet()) {
                    json.name(entry.getKey()).value(entry.getValue());
                }
                json.endObject();
            }
            for (Slot slot : slots) {
                json.name(slot.name()).beginObject();
                json.name("dtype").value(slot.dtype().name());
                json.name("shape").beginArray();
                for (long extent : slot.shape()) {
                    json.value(extent);
                }
                json.endArray();
                json.name("data_offsets").beginArray();
                json.value(slot.begin()).value(slot.end()).endArray();
                json.endObject();
            }
            json.endObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e); // a StringWriter has none
        }
        byte[] header = text.toString().getBytes(StandardCharsets.UTF_8);
        byte[] padded = Arrays.copyOf(header, (header.length + 7) / 8 * 8);
        Arrays.fill(padded, header.length, padded.length, (byte) ' ');
        return padded;
    }
}
