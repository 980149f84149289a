package dev.elman.cuda;

import java.util.Arrays;
import java.util.stream.Collectors;

/** The settings that tests choose, short. */
final class Settings {
    private Settings() {}

    /** The system's properties but for these, such as {@code plan=steps} for {@code elman.cuda.plan}. */
    static CudaSettings of(String... chosen) {
        return CudaSettings.fromPropertiesBut(Arrays.stream(chosen)
                .map(one -> one.split("=", 2))
                .collect(Collectors.toMap(one -> "elman.cuda." + one[0], one -> one[1])));
    }
}
