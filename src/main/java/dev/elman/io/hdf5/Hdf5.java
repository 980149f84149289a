package dev.elman.io.hdf5;

import dev.elman.io.AtomicFile;
import dev.elman.io.ModelFileException;
import dev.elman.io.NdArray;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What an HDF5 file holds, as far as model files go.
 *
 * @param arrays numbers by path, as in {@code layers/dense/vars/0}
 * @param texts attributes that are strings, by path and name, as in {@code model_weights@layer_names}; those of the root
 *     begin with the {@code @}
 */
public record Hdf5(Map<String, NdArray> arrays, Map<String, List<String>> texts) {
    /** What every HDF5 file begins with. */
    static final byte[] SIGNATURE = {(byte) 0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};

    /** What a user adds to have HDF5. */
    static final String LIBRARY = "io.jhdf:jhdf:0.13.0";

    /** Copies both maps and keeps their order. */
    public Hdf5 {
        arrays = Collections.unmodifiableMap(new LinkedHashMap<>(arrays));
        texts = Collections.unmodifiableMap(new LinkedHashMap<>(texts));
    }

    /**
     * Reads a file's content, or a member of it, whose name and a colon are then {@code where}.
     *
     * @throws ModelFileException if it is no HDF5, is damaged, links to other files, or jhdf is not there
     */
    public static Hdf5 parse(Path file, String where, byte[] content) throws ModelFileException {
        requireLibrary(file);
        return new JhdfReader(file, where, content).read();
    }

    /**
     * Writes F32 arrays, whole or not at all, and groups that are to be there though they hold nothing. Needs no library.
     *
     * @param arrays by path
     * @param groups paths
     * @throws ModelFileException if that fails; an old file of that name is then as it was
     * @throws IllegalArgumentException for an array of another type or of more than 32 axes, a name in a path that is not 1 to
     *     255 characters of ASCII, a path that is an array and a group, or a group of more than 65,534 members
     */
    public static void write(Map<String, NdArray> arrays, List<String> groups, Path file) throws ModelFileException {
        AtomicFile.replace(file, out -> Hdf5Writer.write(arrays, groups, out));
    }

    private static void requireLibrary(Path file) throws ModelFileException {
        try {
            Class.forName("io.jhdf.HdfFile", false, Hdf5.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            throw new ModelFileException(
                    file,
                    "HDF5",
                    "the library " + LIBRARY + " on the class path",
                    "none",
                    "Add the dependency " + LIBRARY + " to your build; elman does without it for all other formats",
                    e);
        }
    }
}
