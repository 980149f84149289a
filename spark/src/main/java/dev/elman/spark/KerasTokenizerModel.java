package dev.elman.spark;

import dev.elman.text.Tokenizer;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.spark.ml.Model;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.util.DefaultParamsWritable;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.ml.util.MLWriter;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** Makes token ids of texts, of any length. What it has learned is Keras's JSON, in a parameter of its own. */
public final class KerasTokenizerModel extends Model<KerasTokenizerModel>
        implements TextColumns, DefaultParamsWritable {
    private static final long serialVersionUID = 1L;

    private final String uid;
    private final TextColumns.Holder columns;
    private final Param<String> json;

    KerasTokenizerModel(String uid) {
        this.uid = uid;
        columns = new TextColumns.Holder(uid);
        json = new Param<>(uid, "json", "Keras's tokenizer JSON");
        columns.setDefaults(this);
    }

    /** A tokenizer that Keras, or the core, has written; {@code uid} names the stage. */
    public KerasTokenizerModel(String uid, String json) {
        this(uid);
        Tokenizer.fromJson(json); // refused here rather than on the executors
        set(this.json, json);
    }

    @Override
    public String uid() {
        return uid;
    }

    @Override
    public TextColumns.Holder textColumns() {
        return columns;
    }

    /** Keras's JSON, which the core's {@code Tokenizer.fromJson} reads too. */
    public Param<String> json() {
        return json;
    }

    /** The tokenizer itself. */
    public Tokenizer tokenizer() {
        return Tokenizer.fromJson(getOrDefault(json));
    }

    /** V for a model over these ids: one more than the largest. */
    public int vocabularySize() {
        Tokenizer tokenizer = tokenizer();
        int limit = tokenizer.numWords() > 0 ? tokenizer.numWords() : Integer.MAX_VALUE;
        String oov = tokenizer.oovToken().orElse(null); // its id, which texts that hold it move, is never cut
        IntStream ids = tokenizer.wordIndex().entrySet().stream()
                .filter(word -> word.getValue() < limit || word.getKey().equals(oov))
                .mapToInt(Map.Entry::getValue);
        return 1 + ids.max().orElse(0);
    }

    public KerasTokenizerModel setInputCol(String value) {
        set(inputCol(), value);
        return this;
    }

    public KerasTokenizerModel setOutputCol(String value) {
        set(outputCol(), value);
        return this;
    }

    @Override
    public StructType transformSchema(StructType schema) {
        return withIds(schema);
    }

    @Override
    public Dataset<Row> transform(Dataset<?> dataset) {
        transformSchema(dataset.schema(), true);
        Column ids = functions
                .udf(
                        new Ids(getOrDefault(json), getInputCol()),
                        DataTypes.createArrayType(DataTypes.IntegerType, false))
                .apply(dataset.col(getInputCol()));
        return dataset.toDF().withColumn(getOutputCol(), ids);
    }

    /** The tokenizer is read from its JSON once an executor task's copy. */
    private static final class Ids implements UDF1<String, int[]> {
        private static final long serialVersionUID = 1L;

        private final String json;
        private final String column;
        private transient Tokenizer tokenizer;

        Ids(String json, String column) {
            this.json = json;
            this.column = column;
        }

        @Override
        public int[] call(String text) {
            if (text == null) throw BadRowException.of(column, null, "texts; \"\" is no text");
            if (tokenizer == null) tokenizer = Tokenizer.fromJson(json);
            return tokenizer.textToSequence(text);
        }
    }

    @Override
    public KerasTokenizerModel copy(ParamMap extra) {
        KerasTokenizerModel copy = copyValues(new KerasTokenizerModel(uid), extra);
        return copy.setParent(parent());
    }

    @Override
    public MLWriter write() {
        return DefaultParamsWritable.super.write();
    }

    /** Reads what {@link #write} wrote. */
    public static MLReader<KerasTokenizerModel> read() {
        return new StageReader<>(KerasTokenizerModel.class, KerasTokenizerModel::new);
    }

    public static KerasTokenizerModel load(String path) {
        return read().load(path);
    }
}
