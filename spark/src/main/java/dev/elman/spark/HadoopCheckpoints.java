package dev.elman.spark;

import dev.elman.train.Checkpoint;
import dev.elman.train.Checkpoints;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.UUID;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Checkpoints of one fit in a folder that all executors see. The last two are kept: one may be read while one is written. */
final class HadoopCheckpoints implements Checkpoints {
    /** Of these Spark makes several folders when it reads. */
    private static final Pattern LIST = Pattern.compile("[,\\[\\]{}*?]");

    private static final String PREFIX = "epoch-";
    private static final String SUFFIX = ".safetensors";

    private final Path folder;
    private final FileSystem files;
    /** Of this worker alone: one of an attempt before it may still be writing its own. */
    private final Path writing;

    private int resumeFrom;

    HadoopCheckpoints(String folder, Configuration configuration) throws IOException {
        this.folder = new Path(folder);
        this.files = this.folder.getFileSystem(configuration);
        this.writing = new Path(this.folder, ".writing-" + UUID.randomUUID());
    }

    /**
     * Makes a folder for one fit, by a name that is the same for all executors: a relative path would be another for each. The
     * driver makes it and removes it, so that a worker that has not heard of the end leaves nothing behind.
     */
    static String newFolder(String checkpointDir, Configuration configuration) {
        if (LIST.matcher(checkpointDir).find()) {
            throw new IllegalArgumentException(
                    "checkpointDir \"" + checkpointDir
                            + "\" has one of , [ ] { } * ? in its path, by which Spark reads several folders. Give it another.");
        }
        Path folder = new Path(checkpointDir, "elman-" + UUID.randomUUID());
        try {
            FileSystem files = folder.getFileSystem(configuration);
            if (!files.mkdirs(folder)) throw new IOException("cannot make " + folder);
            return files.makeQualified(folder).toString();
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "cannot make a folder in checkpointDir \"" + checkpointDir + "\". " + remedy(), e);
        }
    }

    void requireFolder() throws IOException {
        if (files.exists(folder)) return;
        throw new FileNotFoundException(
                folder + " is not there: the fit is over, or this executor does not see the driver's. " + remedy());
    }

    private static String remedy() {
        return "Set checkpointDir to a folder that the driver and all executors see and may write to.";
    }

    /** The last epoch that was kept; 0 for none. */
    int lastEpoch() throws IOException {
        requireFolder();
        return Arrays.stream(files.listStatus(folder))
                .mapToInt(HadoopCheckpoints::epoch)
                .max()
                .orElse(0);
    }

    private static int epoch(FileStatus file) {
        String name = file.getPath().getName();
        if (!name.startsWith(PREFIX) || !name.endsWith(SUFFIX)) return 0;
        return Integer.parseInt(name.substring(PREFIX.length(), name.length() - SUFFIX.length()));
    }

    /** Makes {@link #latest} give this epoch's, which the workers have agreed on; 0 for none. */
    void resumeFrom(int epoch) {
        resumeFrom = epoch;
    }

    private Path file(int epoch) {
        return new Path(folder, PREFIX + epoch + SUFFIX);
    }

    @Override
    public Checkpoint latest() {
        if (resumeFrom == 0) return null;
        try {
            return TempFiles.with(local -> {
                TempFiles.download(files, file(resumeFrom), local);
                return Checkpoint.read(local);
            });
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the checkpoint " + file(resumeFrom), e);
        }
    }

    @Override
    public void save(Checkpoint checkpoint) {
        try {
            TempFiles.with(local -> {
                checkpoint.write(local);
                requireFolder(); // which an upload would make
                TempFiles.upload(local, files, writing);
                return null;
            });
            files.delete(file(checkpoint.epoch()), false);
            if (!files.rename(writing, file(checkpoint.epoch()))) {
                throw new IOException("cannot rename " + writing + " to " + file(checkpoint.epoch()));
            }
            files.delete(file(checkpoint.epoch() - 2), false);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write a checkpoint to " + folder, e);
        }
    }

    void remove() throws IOException {
        files.delete(folder, true);
    }
}
