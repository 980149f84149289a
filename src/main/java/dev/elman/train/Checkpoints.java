package dev.elman.train;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Where a training puts its {@link Checkpoint} after each epoch, and finds the one to go on from. */
public interface Checkpoints {
    /** The one to go on from; null to begin at the beginning. The same for every worker of a team. */
    Checkpoint latest();

    /** Keeps it. Called after each epoch, by the first worker of a team only. */
    void save(Checkpoint checkpoint);

    /** Whether {@link #save} wants to be called; a checkpoint costs a download of all weights and moments. */
    default boolean wanted() {
        return true;
    }

    /** Keeps none. */
    static Checkpoints none() {
        return new Checkpoints() {
            @Override
            public Checkpoint latest() {
                return null;
            }

            @Override
            public void save(Checkpoint checkpoint) {
                throw new IllegalStateException("save: not wanted");
            }

            @Override
            public boolean wanted() {
                return false;
            }
        };
    }

    /** Keeps the last one in a file, replaced in one move; goes on from it where it is there. */
    static Checkpoints in(Path file) {
        return new Checkpoints() {
            @Override
            public Checkpoint latest() {
                Path folder = file.toAbsolutePath().getParent();
                if (folder != null && !Files.isDirectory(folder)) {
                    throw new UncheckedIOException(new NoSuchFileException(
                            folder.toString(), null, "the folder of the checkpoint is not there; make it first"));
                }
                try {
                    return Files.exists(file) ? Checkpoint.read(file) : null;
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }

            @Override
            public void save(Checkpoint checkpoint) {
                try {
                    checkpoint.write(file);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
        };
    }
}
