package dev.elman.io;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * The contents of a safetensors file: arrays by name, and strings by name. Immutable; the maps keep their order.
 *
 * <p>Format: <a href="https://github.com/huggingface/safetensors#format">github.com/huggingface/safetensors</a>. Python
 * opens the file with {@code safetensors.torch.load_file}.
 *
 * @param metadata what the file's {@code __metadata__} holds; empty when it has none
 */
public record SafeTensors(Map<String, NdArray> tensors, Map<String, String> metadata) {

    /** @throws IllegalArgumentException if a name cannot be written: reserved, or not Unicode text */
    public SafeTensors {
        tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
        metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
        tensors.forEach((name, array) -> {
            requireText(name, "tensor name");
            Objects.requireNonNull(array, name);
            if (name.equals(SafeTensorsHeader.METADATA)) {
                throw new IllegalArgumentException("tensor name: " + name + " is the metadata's; choose another");
            }
        });
        metadata.forEach((key, value) -> {
            requireText(key, "metadata key");
            requireText(value, "metadata value");
        });
    }

    /**
     * Reads the whole file into memory and checks all of it.
     *
     * @throws ModelFileException if the file is missing, cannot be read, is no safetensors file or is damaged
     */
    public static SafeTensors read(Path file) throws IOException {
        return new SafeTensorsReader(file).read();
    }

    /**
     * Reads what a file says of itself, and of its tensors only where they lie.
     *
     * @throws ModelFileException if the file is missing, cannot be read, is no safetensors file or is damaged there
     */
    public static Map<String, String> metadata(Path file) throws IOException {
        return new SafeTensorsReader(file).metadata();
    }

    /**
     * Writes the file whole or not at all: an old file of that name is replaced in one step, and only once the new one is
     * on the disk. Equal contents in equal order give equal bytes.
     *
     * @throws ModelFileException if that fails; the old file is then as it was, and nothing is left behind
     */
    public void write(Path file) throws IOException {
        SafeTensorsWriter.write(this, file, AtomicFile.DISK);
    }

    private static void requireText(String text, String what) {
        Objects.requireNonNull(text, what);
        if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
            throw new IllegalArgumentException(what + ": a half surrogate pair cannot be written as UTF-8");
        }
    }
}
