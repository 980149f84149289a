package dev.elman.spark;

import java.io.Serializable;
import org.apache.spark.ml.param.BooleanParam;
import org.apache.spark.ml.param.DoubleParam;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.LongParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamValidators;
import org.apache.spark.ml.param.Params;

/** How {@link ElmanClassifier} trains: its parameters, named as in MLlib where MLlib has them. */
public interface ElmanTraining extends Params {
    /** The parameters themselves, made once by each stage. */
    Training training();

    /**
     * The class of a row, a whole number from 0 on; {@code label} unless set. How many classes there are comes from
     * StringIndexer's metadata, or from the largest label.
     */
    default Param<String> labelCol() {
        return training().labelCol;
    }

    /** How much a row counts; none unless set. */
    default Param<String> weightCol() {
        return training().weightCol;
    }

    /** Epochs; 20 unless set. */
    default IntParam maxIter() {
        return training().maxIter;
    }

    /** Learning rate; 0.001 unless set. */
    default DoubleParam stepSize() {
        return training().stepSize;
    }

    /** Rows of a batch for each worker; 32 unless set. */
    default IntParam batchSize() {
        return training().batchSize;
    }

    /** H; 128 unless set. */
    default IntParam hiddenSize() {
        return training().hiddenSize;
    }

    /** D of token input; 32 unless set. */
    default IntParam embeddingSize() {
        return training().embeddingSize;
    }

    /**
     * V, token ids are below it; unless set, one more than the largest of the data. Set it where scored tables may
     * hold other ids.
     */
    default IntParam vocabSize() {
        return training().vocabSize;
    }

    /** Whether a second direction reads from the end. */
    default BooleanParam bidirectional() {
        return training().bidirectional;
    }

    /** Share of the embedding's, or the vectors', elements dropped while training. */
    default DoubleParam inputDropout() {
        return training().inputDropout;
    }

    /** Share of the elements dropped before the dense layer. */
    default DoubleParam dropout() {
        return training().dropout;
    }

    /** {@code adam}, unless set, or {@code sgd}. */
    default Param<String> optimizer() {
        return training().optimizer;
    }

    /** Largest norm of all gradients together; 5 unless set, 0 for no limit. */
    default DoubleParam clipNorm() {
        return training().clipNorm;
    }

    /** Decides first weights, order of rows and dropout; 0 unless set. */
    default LongParam seed() {
        return training().seed;
    }

    /** Tasks that train together, for ALLREDUCE at most as many as there are slots; as many unless set. */
    default IntParam numWorkers() {
        return training().numWorkers;
    }

    /**
     * {@code ALLREDUCE}: every step by all workers together, in one barrier stage. {@code AVERAGE(k)}: k steps
     * alone, then weights are averaged, a job each; survives lost tasks without a checkpoint. Workers are
     * averaged in the order in which they are done, so two fits may differ in rounding.
     */
    default Param<String> syncMode() {
        return training().syncMode;
    }

    /**
     * Folder that the driver and all executors see; ALLREDUCE then loses at most the epoch in which a worker is lost. A copy
     * of the rows lies there until fit is over.
     */
    default Param<String> checkpointDir() {
        return training().checkpointDir;
    }

    /** The parameters of one stage. */
    final class Training implements Serializable {
        private static final long serialVersionUID = 1L;

        private final Param<String> labelCol;
        private final Param<String> weightCol;
        private final IntParam maxIter;
        private final DoubleParam stepSize;
        private final IntParam batchSize;
        private final IntParam hiddenSize;
        private final IntParam embeddingSize;
        private final IntParam vocabSize;
        private final BooleanParam bidirectional;
        private final DoubleParam inputDropout;
        private final DoubleParam dropout;
        private final Param<String> optimizer;
        private final DoubleParam clipNorm;
        private final LongParam seed;
        private final IntParam numWorkers;
        private final Param<String> syncMode;
        private final Param<String> checkpointDir;

        Training(String uid) {
            labelCol = new Param<>(uid, "labelCol", "column with the class, a whole number from 0 on");
            weightCol = new Param<>(uid, "weightCol", "column with the rows' weights; empty when all count the same");
            maxIter = new IntParam(uid, "maxIter", "epochs (>= 1)", ParamValidators.gtEq(1));
            stepSize = new DoubleParam(uid, "stepSize", "learning rate (> 0)", ParamValidators.gt(0));
            batchSize =
                    new IntParam(uid, "batchSize", "rows of a batch for each worker (>= 1)", ParamValidators.gtEq(1));
            hiddenSize = new IntParam(uid, "hiddenSize", "nodes of a direction (>= 1)", ParamValidators.gtEq(1));
            embeddingSize =
                    new IntParam(uid, "embeddingSize", "size of a token's vector (>= 1)", ParamValidators.gtEq(1));
            vocabSize = new IntParam(
                    uid,
                    "vocabSize",
                    "token ids are below it; 0: one more than the largest of the data",
                    ParamValidators.gtEq(0));
            bidirectional = new BooleanParam(uid, "bidirectional", "whether a second direction reads from the end");
            inputDropout = new DoubleParam(
                    uid,
                    "inputDropout",
                    "share of the steps' numbers dropped ([0,1))",
                    ParamValidators.inRange(0, 1, true, false));
            dropout = new DoubleParam(
                    uid,
                    "dropout",
                    "share of the row's vector dropped ([0,1))",
                    ParamValidators.inRange(0, 1, true, false));
            optimizer = new Param<>(uid, "optimizer", "adam or sgd", ParamValidators.inArray(new String[] {
                FitSettings.ADAM, FitSettings.SGD
            }));
            clipNorm = new DoubleParam(
                    uid, "clipNorm", "largest norm of the gradient; 0 for no limit (>= 0)", ParamValidators.gtEq(0));
            seed = new LongParam(uid, "seed", "decides first weights, order of rows and dropout");
            numWorkers = new IntParam(
                    uid,
                    "numWorkers",
                    "tasks that train together; 0: as many as there are slots",
                    ParamValidators.gtEq(0));
            syncMode = new Param<>(uid, "syncMode", "ALLREDUCE or AVERAGE(k)");
            checkpointDir = new Param<>(uid, "checkpointDir", "folder for ALLREDUCE's checkpoints; empty for none");
        }

        void setDefaults(ElmanTraining stage) {
            stage.setDefault(labelCol, "label");
            stage.setDefault(weightCol, "");
            stage.setDefault(maxIter, 20);
            stage.setDefault(stepSize, 0.001);
            stage.setDefault(batchSize, 32);
            stage.setDefault(hiddenSize, 128);
            stage.setDefault(embeddingSize, 32);
            stage.setDefault(vocabSize, 0);
            stage.setDefault(bidirectional, false);
            stage.setDefault(inputDropout, 0.0);
            stage.setDefault(dropout, 0.0);
            stage.setDefault(optimizer, FitSettings.ADAM);
            stage.setDefault(clipNorm, 5.0);
            stage.setDefault(seed, 0L);
            stage.setDefault(numWorkers, 0);
            stage.setDefault(syncMode, "ALLREDUCE");
            stage.setDefault(checkpointDir, "");
        }
    }
}
