package dev.elman.spark;

import java.io.Serializable;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.internal.SQLConf;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * Reads rows of a table, and refuses those that the network cannot take.
 *
 * @param tokens whether the features are token ids; else they are vectors
 * @param vocabulary token ids are below it; 0 where that is not known yet
 * @param features of a vector; 0 where that is not known yet
 * @param classes labels are below it; 0 where that is not known yet
 * @param label column and index, or null when labels are not read
 * @param weight likewise
 */
record RowReader(Column input, boolean tokens, int vocabulary, int features, int classes, Column label, Column weight)
        implements Serializable {
    /** A column's name and its place in the rows. */
    record Column(String name, int index) implements Serializable {}

    /** Whether a column of this type holds token ids; throws {@link IllegalArgumentException} when it is no input at all. */
    static boolean holdsTokens(StructType schema, String column) {
        DataType type = typeOf(schema, column, "featuresCol");
        if (type instanceof ArrayType array) {
            if (array.elementType().equals(DataTypes.IntegerType)) return true;
            if (array.elementType().equals(SQLDataTypes.VectorType())) return false;
        }
        throw new IllegalArgumentException(
                "Column \"" + column + "\" must be array<int>, token ids, or array<vector>, one"
                        + " vector of features a step, but is " + type.catalogString()
                        + ". Set featuresCol to such a column; KerasTokenizer makes one of texts.");
    }

    /** Throws {@link IllegalArgumentException} when there is no such column, or more than one. */
    static DataType typeOf(StructType schema, String column, String param) {
        int times = Collections.frequency(List.of(schema.fieldNames()), column);
        if (times != 1) {
            throw new IllegalArgumentException(
                    "There " + (times == 0 ? "is no column \"" : "are " + times + " columns \"") + column
                            + "\"; there are " + String.join(", ", schema.fieldNames()) + ". Set " + param + ".");
        }
        return schema.apply(column).dataType();
    }

    /** Whether there is a column of this name, as Spark compares names. */
    static boolean has(StructType schema, String column) {
        boolean exactly = SQLConf.get().caseSensitiveAnalysis();
        return Arrays.stream(schema.fieldNames()).anyMatch(exactly ? column::equals : column::equalsIgnoreCase);
    }

    byte[] read(Row row) {
        int k = label == null ? 0 : readLabel(row);
        float w = weight == null ? 1 : readWeight(row);
        if (row.isNullAt(input.index())) throw BadRowException.of(input.name(), null, expected());
        List<Object> steps = row.getList(input.index());
        return tokens ? RowBytes.ofTokens(k, w, readTokens(steps)) : RowBytes.ofSteps(k, w, readSteps(steps));
    }

    private int readLabel(Row row) {
        String expected = classes == 0 ? "whole numbers from 0 on" : "whole numbers from 0 to " + (classes - 1);
        if (row.isNullAt(label.index())) throw BadRowException.of(label.name(), null, expected);
        double value = row.getDouble(label.index());
        int limit = classes == 0 ? Integer.MAX_VALUE : classes;
        if (!(value >= 0 && value < limit && value == Math.rint(value))) {
            throw BadRowException.of(label.name(), value, expected + "; StringIndexer makes such labels");
        }
        return (int) value;
    }

    private float readWeight(Row row) {
        Object value = row.get(weight.index());
        if (!(value instanceof Double number && number >= 0 && number <= Float.MAX_VALUE)) {
            throw BadRowException.of(weight.name(), value, "finite numbers from 0 on");
        }
        return number.floatValue();
    }

    private String expected() {
        if (!tokens) return "arrays of vectors of " + (features == 0 ? "equal size" : "size " + features);
        return "arrays of token ids from 0 " + (vocabulary == 0 ? "on" : "to " + (vocabulary - 1));
    }

    private int[] readTokens(List<Object> row) {
        int limit = vocabulary == 0 ? Integer.MAX_VALUE : vocabulary;
        int[] ids = new int[row.size()];
        for (int t = 0; t < ids.length; t++) {
            if (!(row.get(t) instanceof Integer id && id >= 0 && id < limit)) {
                throw BadRowException.of(input.name(), row.get(t) + " at step " + t + " of " + row, expected());
            }
            ids[t] = id;
        }
        return ids;
    }

    private float[][] readSteps(List<Object> row) {
        float[][] steps = new float[row.size()][];
        int size = features;
        for (int t = 0; t < steps.length; t++) {
            if (!(row.get(t) instanceof Vector vector)) {
                throw BadRowException.of(input.name(), row.get(t) + " at step " + t + " of " + row, expected());
            }
            if (size == 0) size = vector.size();
            if (vector.size() != size || size == 0) {
                throw BadRowException.of(
                        input.name(), "size " + vector.size() + " at step " + t + " of " + row, expected());
            }
            steps[t] = new float[size];
            for (int d = 0; d < size; d++) {
                steps[t][d] = (float) vector.apply(d);
                if (!Float.isFinite(steps[t][d])) {
                    throw BadRowException.of(
                            input.name(), vector.apply(d) + " at step " + t + " of " + row, "finite numbers");
                }
            }
        }
        return steps;
    }
}
