package dev.elman.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Safetensors files put together byte by byte, by the published format and not by the code under test. */
final class HandMade {
    private HandMade() {}

    /** u64 little-endian length, header, data. */
    static byte[] file(long headerLength, byte[] header, byte[] data) {
        return ByteBuffer.allocate(8 + header.length + data.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(headerLength)
                .put(header)
                .put(data)
                .array();
    }

    static byte[] file(String header, int dataBytes) {
        byte[] utf8 = header.getBytes(StandardCharsets.UTF_8);
        byte[] data = new byte[dataBytes];
        for (int i = 0; i < dataBytes; i++) {
            data[i] = (byte) (i + 1);
        }
        return file(utf8.length, utf8, data);
    }

    static SafeTensors read(Path folder, byte[] bytes) throws IOException {
        Path file = folder.resolve("hand-made.safetensors");
        Files.write(file, bytes);
        return SafeTensors.read(file);
    }
}
