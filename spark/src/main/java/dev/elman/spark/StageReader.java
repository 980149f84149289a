package dev.elman.spark;

import java.util.function.Function;
import org.apache.spark.ml.param.Params;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.DefaultParamsReader$;
import org.apache.spark.ml.util.MLReader;
import scala.Option;

/** Reads a stage that is its parameters and nothing else. */
final class StageReader<S extends Params> extends MLReader<S> {
    private final Class<S> type;
    private final Function<String, S> make;

    /** @param make a stage of this uid */
    StageReader(Class<S> type, Function<String, S> make) {
        this.type = type;
        this.make = make;
    }

    @Override
    public S load(String path) {
        DefaultParamsReader.Metadata metadata =
                DefaultParamsReader$.MODULE$.loadMetadata(path, sparkSession(), type.getName());
        S stage = make.apply(metadata.uid());
        metadata.getAndSetParams(stage, Option.empty());
        return stage;
    }
}
