package dev.elman.io;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Map;
import java.util.UUID;

/** The same contents give the same bytes. */
final class SafeTensorsWriter {
    /** The data begins at a multiple of this, so that it can be mapped. */
    private static final int ALIGNMENT = 8;

    private SafeTensorsWriter() {}

    /** Where the bytes go; a test puts a full disk here. */
    interface Opener {
        Sink open(Path file) throws IOException;
    }

    /** A file being written. */
    interface Sink extends AutoCloseable {
        void write(ByteBuffer bytes) throws IOException;

        /** Returns when the bytes are on the disk. */
        void force() throws IOException;

        @Override
        void close() throws IOException;
    }

    static Sink open(Path file) throws IOException {
        FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
        return new Sink() {
            @Override
            public void write(ByteBuffer bytes) throws IOException {
                while (bytes.hasRemaining()) channel.write(bytes);
            }

            @Override
            public void force() throws IOException {
                channel.force(true);
            }

            @Override
            public void close() throws IOException {
                channel.close();
            }
        };
    }

    static void write(SafeTensors contents, Path file, Opener opener) throws IOException {
        Path folder = file.toAbsolutePath().getParent();
        if (folder == null || file.getFileName() == null) {
            throw new ModelFileException(file, "is not the name of a file.");
        }
        if (!Files.isDirectory(folder)) {
            throw new ModelFileException(file, "cannot be written, because there is no folder " + folder + ".");
        }
        // Not createTempFile, whose files only their owner may read.
        Path temporary = folder.resolve("." + file.getFileName() + "." + UUID.randomUUID() + ".tmp");
        try {
            try (Sink sink = opener.open(temporary)) {
                sink.write(header(contents));
                for (SafeTensors.Entry entry : contents.tensors().values()) {
                    sink.write(entry.data().duplicate());
                }
                sink.force();
            }
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new ModelFileException(
                    file, "could not be written: " + e.getMessage() + ". What was there before is as it was.", e);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    private static ByteBuffer header(SafeTensors contents) throws IOException {
        StringWriter text = new StringWriter();
        try (JsonWriter json = new JsonWriter(text)) {
            json.beginObject();
            if (!contents.metadata().isEmpty()) {
                json.name(SafeTensorsReader.METADATA).beginObject();
                for (Map.Entry<String, String> item : contents.metadata().entrySet()) {
                    json.name(item.getKey()).value(item.getValue());
                }
                json.endObject();
            }
            long offset = 0;
            for (Map.Entry<String, SafeTensors.Entry> item : contents.tensors().entrySet()) {
                if (item.getKey().equals(SafeTensorsReader.METADATA)) {
                    throw new IllegalArgumentException("A tensor cannot be named " + SafeTensorsReader.METADATA + ".");
                }
                SafeTensors.Entry entry = item.getValue();
                long end = offset + entry.data().remaining();
                json.name(item.getKey()).beginObject();
                json.name("dtype").value(entry.dtype().name());
                json.name("shape").beginArray();
                for (int extent : entry.shape()) json.value(extent);
                json.endArray();
                json.name("data_offsets").beginArray().value(offset).value(end).endArray();
                json.endObject();
                offset = end;
            }
            json.endObject();
        }
        byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
        int padded = (bytes.length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        byte[] spaced = Arrays.copyOf(bytes, padded);
        Arrays.fill(spaced, bytes.length, padded, (byte) ' ');
        return ByteBuffer.allocate(Long.BYTES + padded)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(padded)
                .put(spaced)
                .flip();
    }
}
