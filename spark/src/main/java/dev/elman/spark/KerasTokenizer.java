package dev.elman.spark;

import dev.elman.text.Tokenizer;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.ml.Estimator;
import org.apache.spark.ml.param.BooleanParam;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.param.ParamValidators;
import org.apache.spark.ml.util.DefaultParamsWritable;
import org.apache.spark.ml.util.Identifiable$;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.ml.util.MLWriter;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.storage.StorageLevel;

/**
 * Learns the words, or characters, of a text column and numbers them as Keras's Tokenizer does on the same texts in the
 * table's order. Every partition counts its own texts; the counts are added up on the driver.
 */
public final class KerasTokenizer extends Estimator<KerasTokenizerModel> implements TextColumns, DefaultParamsWritable {
    private static final long serialVersionUID = 1L;

    private final String uid;
    private final TextColumns.Holder columns;
    private final IntParam numWords;
    private final Param<String> filters;
    private final BooleanParam lower;
    private final Param<String> split;
    private final BooleanParam charLevel;
    private final Param<String> oovToken;

    public KerasTokenizer() {
        this(Identifiable$.MODULE$.randomUID("kerasTokenizer"));
    }

    /** With a name of one's own. */
    public KerasTokenizer(String uid) {
        this.uid = uid;
        columns = new TextColumns.Holder(uid);
        numWords = new IntParam(uid, "numWords", "ids are below it; 0 for no limit (>= 0)", ParamValidators.gtEq(0));
        filters = new Param<>(uid, "filters", "characters that separate words");
        lower = new BooleanParam(uid, "lower", "whether texts are lower-cased");
        split = new Param<>(uid, "split", "what separates words");
        charLevel = new BooleanParam(uid, "charLevel", "whether tokens are characters");
        oovToken = new Param<>(uid, "oovToken", "stands for unknown words; empty: they are left out");
        Tokenizer keras = Tokenizer.create();
        columns.setDefaults(this);
        setDefault(numWords, 0);
        setDefault(filters, keras.filters());
        setDefault(lower, keras.lower());
        setDefault(split, keras.split());
        setDefault(charLevel, false);
        setDefault(oovToken, "");
    }

    @Override
    public String uid() {
        return uid;
    }

    @Override
    public TextColumns.Holder textColumns() {
        return columns;
    }

    /** Ids are below it: the most frequent words are kept; 0, unless set, for no limit. */
    public IntParam numWords() {
        return numWords;
    }

    /** Characters that separate words; Keras's unless set. */
    public Param<String> filters() {
        return filters;
    }

    /** Whether texts are lower-cased; true unless set. */
    public BooleanParam lower() {
        return lower;
    }

    /** What separates words; a space unless set. */
    public Param<String> split() {
        return split;
    }

    /** Whether tokens are characters, which are then not filtered. */
    public BooleanParam charLevel() {
        return charLevel;
    }

    /** Stands for unknown words and has id 1; unless set, unknown words are left out. */
    public Param<String> oovToken() {
        return oovToken;
    }

    public KerasTokenizer setInputCol(String value) {
        set(inputCol(), value);
        return this;
    }

    public KerasTokenizer setOutputCol(String value) {
        set(outputCol(), value);
        return this;
    }

    public KerasTokenizer setNumWords(int value) {
        set(numWords, value);
        return this;
    }

    public KerasTokenizer setFilters(String value) {
        set(filters, value);
        return this;
    }

    public KerasTokenizer setLower(boolean value) {
        set(lower, value);
        return this;
    }

    public KerasTokenizer setSplit(String value) {
        set(split, value);
        return this;
    }

    public KerasTokenizer setCharLevel(boolean value) {
        set(charLevel, value);
        return this;
    }

    public KerasTokenizer setOovToken(String value) {
        set(oovToken, value);
        return this;
    }

    @Override
    public StructType transformSchema(StructType schema) {
        return withIds(schema);
    }

    /**
     * Counts the words.
     *
     * @throws BadRowException for a text that is null
     * @throws IllegalStateException when an executor has no elman or another version, or the thread is interrupted, which
     *     cancels the fit's jobs
     */
    @Override
    public KerasTokenizerModel fit(Dataset<?> dataset) {
        return InterruptibleJobs.run(dataset.sparkSession().sparkContext(), () -> count(dataset));
    }

    private KerasTokenizerModel count(Dataset<?> dataset) {
        transformSchema(dataset.schema(), true);
        String empty = tokenizer().toJson();
        String column = getInputCol();
        String version = ExecutorCheck.version();
        JavaRDD<String> parts = dataset.select(dataset.col(column))
                .toJavaRDD()
                .map(row -> TextColumns.text(row, 0, column))
                .mapPartitions(texts -> {
                    ExecutorCheck.requireVersion(version);
                    return List.of(count(texts, empty)).iterator();
                })
                .persist(StorageLevel.DISK_ONLY());
        Tokenizer sum = tokenizer();
        try {
            parts.count(); // by all executors at once; then they come one by one, for together they may be large
            parts.toLocalIterator().forEachRemaining(part -> sum.addCounts(Tokenizer.fromJson(part)));
        } catch (Exception e) { // also Spark's, which Scala does not declare
            throw ExecutorCheck.explain(e);
        } finally {
            parts.unpersist(false);
        }
        return copyValues(new KerasTokenizerModel(uid, sum.toJson()).setParent(this), ParamMap.empty());
    }

    private static String count(Iterator<String> texts, String empty) {
        Tokenizer counts = Tokenizer.fromJson(empty);
        counts.fitOnTexts(() -> texts);
        return counts.toJson();
    }

    private Tokenizer tokenizer() {
        Tokenizer.Builder builder = Tokenizer.builder()
                .numWords((Integer) getOrDefault(numWords))
                .filters(getOrDefault(filters))
                .lower((Boolean) getOrDefault(lower))
                .split(getOrDefault(split))
                .charLevel((Boolean) getOrDefault(charLevel));
        if (!getOrDefault(oovToken).isEmpty()) builder.oovToken(getOrDefault(oovToken));
        return builder.build();
    }

    @Override
    public KerasTokenizer copy(ParamMap extra) {
        return copyValues(new KerasTokenizer(uid), extra);
    }

    @Override
    public MLWriter write() {
        return DefaultParamsWritable.super.write();
    }

    /** Reads what {@link #write} wrote. */
    public static MLReader<KerasTokenizer> read() {
        return new StageReader<>(KerasTokenizer.class, KerasTokenizer::new);
    }

    public static KerasTokenizer load(String path) {
        return read().load(path);
    }
}
