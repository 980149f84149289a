package dev.elman.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.Backends;
import dev.elman.backend.Backend;
import dev.elman.train.Callback;
import dev.elman.train.ClassifierConfig;
import dev.elman.train.EpochResult;
import dev.elman.train.SimpleRnnClassifier;
import dev.elman.train.Team;
import dev.elman.train.Trainer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Without Spark. */
class HadoopCheckpointsTest {
    private static final Configuration CONFIGURATION = new Configuration();

    /** The driver removes it when a fit is over, which a worker may hear of only later. */
    @Test
    void aWorkerDoesNotMakeTheFolderAgain(@TempDir Path folder) throws Exception {
        HadoopCheckpoints checkpoints =
                new HadoopCheckpoints(HadoopCheckpoints.newFolder(folder.toString(), CONFIGURATION), CONFIGURATION);
        Callback driver = new Callback() {
            @Override
            public boolean onEpochEnd(EpochResult result) {
                assertEquals(1, result.epoch());
                remove(checkpoints);
                return true;
            }
        };
        Trainer trainer = Trainer.builder().callback(driver).build();
        try (Backend backend = Backends.openCpu(1);
                SimpleRnnClassifier model = new SimpleRnnClassifier(
                        backend,
                        ClassifierConfig.tokens(Rows.VOCABULARY, Rows.CLASSES).build())) {
            UncheckedIOException e = assertThrows(
                    UncheckedIOException.class,
                    () -> model.fit(new Rows(8, 1).data(true, false), trainer, Team.alone(), checkpoints));
            assertTrue(e.getCause().getMessage().contains("the fit is over"), e.toString());
        }
        try (var files = Files.list(folder)) {
            assertEquals(0, files.count());
        }
    }

    private static void remove(HadoopCheckpoints checkpoints) {
        try {
            checkpoints.remove();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The executors run in folders of their own. */
    @Test
    void aRelativeFolderIsTheDrivers() throws Exception {
        String folder = HadoopCheckpoints.newFolder("target/checkpoints", CONFIGURATION);
        Path here = Path.of("target/checkpoints").toAbsolutePath();
        assertTrue(folder.startsWith("file:" + here + "/elman-"), folder);
        new HadoopCheckpoints(folder, CONFIGURATION).remove();
    }

    /** Of such a path Spark would read several folders. */
    @Test
    void aFolderThatIsReadAsSeveralIsRefused() {
        for (String folder : new String[] {"a,b", "run[1]", "runs*"}) {
            IllegalArgumentException e = assertThrows(
                    IllegalArgumentException.class, () -> HadoopCheckpoints.newFolder(folder, CONFIGURATION));
            assertTrue(e.getMessage().contains("\"" + folder + "\" has one of"), e.getMessage());
        }
    }
}
