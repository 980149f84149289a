package dev.elman.io.numpy;

import dev.elman.io.AtomicFile;
import dev.elman.io.ModelFileException;
import dev.elman.io.NdArray;
import dev.elman.io.ZipArchive;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Arrays by name, as {@code numpy.savez}, {@code numpy.savez_compressed} and {@code numpy.load} have them: a zip of {@code .npy}. */
public final class Npz {
    private static final String SUFFIX = ".npy";

    private Npz() {}

    /**
     * Reads all arrays, in the file's order.
     *
     * @throws ModelFileException if the file is missing, damaged, or holds something else than numbers
     */
    public static Map<String, NdArray> read(Path file) throws IOException {
        Map<String, NdArray> arrays = new LinkedHashMap<>();
        for (Map.Entry<String, byte[]> member :
                ZipArchive.read(file, name -> true).entrySet()) {
            String name = member.getKey();
            if (!name.endsWith(SUFFIX)) {
                throw new ModelFileException(
                        file,
                        "member " + ModelFileException.brief(name),
                        "arrays only, named *.npy",
                        "something else",
                        "Write the file with numpy.savez");
            }
            String array = name.substring(0, name.length() - SUFFIX.length());
            arrays.put(array, Npy.parse(file, "member " + ModelFileException.brief(name) + ": ", member.getValue()));
        }
        return arrays;
    }

    /**
     * Writes the arrays, not compressed, whole or not at all. Equal arrays in equal order give equal bytes.
     *
     * @throws ModelFileException if that fails; an old file of that name is then as it was
     * @throws IllegalArgumentException if NumPy has no such type (BF16)
     */
    public static void write(Map<String, NdArray> arrays, Path file) throws IOException {
        AtomicFile.replace(file, out -> {
            try (ZipArchive.Writer zip = new ZipArchive.Writer(out)) {
                for (Map.Entry<String, NdArray> array : arrays.entrySet()) {
                    zip.store(array.getKey() + SUFFIX, Npy.bytes(array.getValue()));
                }
            }
        });
    }
}
