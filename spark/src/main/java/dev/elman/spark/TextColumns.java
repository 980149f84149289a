package dev.elman.spark;

import java.io.Serializable;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.Params;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** The columns of {@link KerasTokenizer} and {@link KerasTokenizerModel}. */
public interface TextColumns extends Params {
    /** The parameters themselves, made once by each stage. */
    Holder textColumns();

    /** Texts; {@code text} unless set. */
    default Param<String> inputCol() {
        return textColumns().input;
    }

    /** Written: {@code array<int>}, the ids of each text; {@code tokens} unless set. */
    default Param<String> outputCol() {
        return textColumns().output;
    }

    default String getInputCol() {
        return getOrDefault(inputCol());
    }

    default String getOutputCol() {
        return getOrDefault(outputCol());
    }

    /** The schema with the column of ids. */
    default StructType withIds(StructType schema) {
        if (!RowReader.typeOf(schema, getInputCol(), "inputCol").equals(DataTypes.StringType)) {
            throw new IllegalArgumentException("Column \"" + getInputCol() + "\" must hold texts, but is "
                    + schema.apply(getInputCol()).dataType().catalogString() + ". Set inputCol to another.");
        }
        if (RowReader.has(schema, getOutputCol())) {
            throw new IllegalArgumentException(
                    "There is a column \"" + getOutputCol() + "\" already. Set outputCol to another name.");
        }
        return schema.add(getOutputCol(), DataTypes.createArrayType(DataTypes.IntegerType, false), false);
    }

    /** Throws {@link BadRowException} for null. */
    static String text(Row row, int index, String column) {
        if (row.isNullAt(index)) throw BadRowException.of(column, null, "texts; \"\" is no text");
        return row.getString(index);
    }

    /** The parameters of one stage. */
    final class Holder implements Serializable {
        private static final long serialVersionUID = 1L;

        private final Param<String> input;
        private final Param<String> output;

        Holder(String uid) {
            input = new Param<>(uid, "inputCol", "column with texts");
            output = new Param<>(uid, "outputCol", "column for their token ids");
        }

        void setDefaults(TextColumns stage) {
            stage.setDefault(input, "text");
            stage.setDefault(output, "tokens");
        }
    }
}
