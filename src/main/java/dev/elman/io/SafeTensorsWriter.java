package dev.elman.io;

import dev.elman.io.SafeTensorsHeader.Slot;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Lays out and writes one file. The header names the tensors in their order; the data has the widest types first, as the
 * reference implementation does it, so that every tensor is aligned to its type (PyTorch's loader asks for that).
 */
final class SafeTensorsWriter {
    private SafeTensorsWriter() {}

    static void write(SafeTensors contents, Path file, AtomicFile.Opener opener) throws ModelFileException {
        List<Map.Entry<String, NdArray>> byWidth =
                new ArrayList<>(contents.tensors().entrySet());
        byWidth.sort(
                Comparator.comparingInt(tensor -> -tensor.getValue().dtype().bytes()));
        byte[] header = header(contents, byWidth).toBytes();
        if (header.length > SafeTensorsHeader.MAX_LENGTH) {
            throw new ModelFileException(
                    file,
                    "header",
                    "at most " + SafeTensorsHeader.MAX_LENGTH + " bytes",
                    Integer.toString(header.length),
                    "Keep less in the metadata");
        }
        ByteBuffer length = ByteBuffer.allocate(SafeTensorsHeader.LENGTH_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        length.putLong(header.length);
        AtomicFile.replace(file, opener, out -> {
            out.write(length.array());
            out.write(header);
            for (Map.Entry<String, NdArray> tensor : byWidth) {
                tensor.getValue().writeTo(out);
            }
        });
    }

    private static SafeTensorsHeader header(SafeTensors contents, List<Map.Entry<String, NdArray>> byWidth) {
        Map<String, Long> begins = new HashMap<>();
        long begin = 0;
        for (Map.Entry<String, NdArray> tensor : byWidth) {
            begins.put(tensor.getKey(), begin);
            begin += tensor.getValue().bytes().remaining();
        }
        List<Slot> slots = new ArrayList<>();
        contents.tensors().forEach((name, entry) -> {
            long at = begins.get(name);
            slots.add(new Slot(
                    name, entry.dtype(), entry.shape(), at, at + entry.bytes().remaining()));
        });
        return new SafeTensorsHeader(slots, contents.metadata());
    }
}
