package dev.elman.spark;

import dev.elman.spark.RowReader.Column;
import java.io.Serializable;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.param.DoubleArrayParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.Params;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** The columns that {@link ElmanClassifier} and {@link ElmanClassificationModel} read and write, named as in MLlib. */
public interface ElmanColumns extends Params {
    /** The parameters themselves, made once by each stage. */
    Holder columns();

    /** {@code array<int>}, token ids, or {@code array<vector>}, one vector a step; rows may be of any length, 0 too. */
    default Param<String> featuresCol() {
        return columns().features;
    }

    /** Written: the class as a double. */
    default Param<String> predictionCol() {
        return columns().prediction;
    }

    /** Written: a vector of the classes' probabilities. */
    default Param<String> probabilityCol() {
        return columns().probability;
    }

    /** Written: a vector of the probabilities' logarithms, which differ from logits by one number a row. */
    default Param<String> rawPredictionCol() {
        return columns().raw;
    }

    /** One number a class, at most one of them 0: the class with the largest probability / threshold is predicted. */
    default DoubleArrayParam thresholds() {
        return columns().thresholds;
    }

    default String getFeaturesCol() {
        return getOrDefault(featuresCol());
    }

    default String getPredictionCol() {
        return getOrDefault(predictionCol());
    }

    default String getProbabilityCol() {
        return getOrDefault(probabilityCol());
    }

    default String getRawPredictionCol() {
        return getOrDefault(rawPredictionCol());
    }

    /** Null when none are set. */
    default double[] getThresholds() {
        return isDefined(thresholds()) ? getOrDefault(thresholds()) : null;
    }

    /** The schema with the columns that are written; an empty name leaves one out. */
    default StructType withPredictions(StructType schema) {
        StructType out = schema;
        for (String name : List.of(getRawPredictionCol(), getProbabilityCol(), getPredictionCol())) {
            if (name.isEmpty()) continue;
            if (RowReader.has(out, name)) {
                throw new IllegalArgumentException("There is a column \"" + name + "\" already. Choose another name, or"
                        + " \"\" to leave it out, for rawPredictionCol, probabilityCol or predictionCol.");
            }
            boolean prediction = name.equals(getPredictionCol());
            out = out.add(name, prediction ? DataTypes.DoubleType : SQLDataTypes.VectorType(), prediction);
        }
        return out;
    }

    /** The input column among these. */
    default Column inputColumn(StructType schema) {
        return new Column(getFeaturesCol(), schema.fieldIndex(getFeaturesCol()));
    }

    /** The parameters of one stage. */
    final class Holder implements Serializable {
        private static final long serialVersionUID = 1L;

        private final Param<String> features;
        private final Param<String> prediction;
        private final Param<String> probability;
        private final Param<String> raw;
        private final DoubleArrayParam thresholds;

        Holder(Params stage) {
            String uid = stage.uid();
            features = new Param<>(uid, "featuresCol", "column with token ids (array<int>) or steps (array<vector>)");
            prediction = new Param<>(uid, "predictionCol", "column for the predicted class");
            probability = new Param<>(uid, "probabilityCol", "column for the classes' probabilities");
            raw = new Param<>(uid, "rawPredictionCol", "column for the probabilities' logarithms");
            thresholds = new DoubleArrayParam(stage, "thresholds", "what each class's probability is divided by");
        }

        void setDefaults(ElmanColumns stage) {
            stage.setDefault(features, "features");
            stage.setDefault(prediction, "prediction");
            stage.setDefault(probability, "probability");
            stage.setDefault(raw, "rawPrediction");
        }
    }

    /** Throws {@link IllegalArgumentException} unless there is one threshold a class, and at most one of them is 0. */
    default void requireThresholds(int classes) {
        double[] values = getThresholds();
        if (values == null) return;
        boolean bad = values.length != classes || Arrays.stream(values).anyMatch(t -> !(t >= 0));
        if (bad || Arrays.stream(values).filter(t -> t == 0).count() > 1) {
            throw new IllegalArgumentException(
                    "thresholds must be " + classes + " numbers from 0 on, one a class, at most"
                            + " one of them 0, but are " + Arrays.toString(values) + ".");
        }
    }
}
