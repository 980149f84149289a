package dev.elman.io;

import dev.elman.contract.ChildJvm;
import dev.elman.io.hdf5.Hdf5;
import dev.elman.io.numpy.Npy;
import dev.elman.io.numpy.Npz;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Says what a file holds, or how reading it failed: for a process with another heap, see {@link ChildJvm}. */
public final class Reading {
    private Reading() {}

    @SuppressWarnings("SystemOut") // which the test reads
    public static void main(String[] args) throws IOException {
        try {
            System.out.println(read(Path.of(args[0])));
        } catch (ModelFileException e) {
            System.out.println(e.getMessage());
        }
    }

    private static Object read(Path file) throws IOException {
        String name = file.toString();
        if (name.endsWith(".npy")) return Npy.read(file);
        if (name.endsWith(".npz")) return Npz.read(file);
        if (name.endsWith(".h5")) return Hdf5.parse(file, "", Files.readAllBytes(file));
        return SafeTensors.read(file);
    }
}
