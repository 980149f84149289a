package dev.elman.cuda;

import dev.elman.cuda.SequenceSize.Family;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * What the user chose by system properties.
 *
 * @param device {@code elman.cuda.device}: number among the devices that CUDA_VISIBLE_DEVICES leaves, from 0
 * @param libraries {@code elman.cuda.libdir}: folder with libcublasLt.so.12 and libcublas.so.12, or null
 * @param tf32 {@code elman.cuda.tf32}: whether products may round their operands to 10 bits of mantissa
 * @param products {@code elman.cuda.gemm}: who makes the matrix products
 * @param split {@code elman.cuda.split}: which of cuBLAS's products in strict float32 {@link SplitBlas} makes
 * @param projectByStep {@code elman.cuda.projectByStep}, see {@link InputProjection}
 * @param plan {@code elman.cuda.plan}: the only {@link RecurrencePlan} to use, or null
 * @param onlyLiveRows {@code elman.cuda.onlyLiveRows}, for tests: whether {@link LiveRows} is used under every mask, however small
 *     the products
 */
record CudaSettings(
        int device,
        Path libraries,
        boolean tf32,
        Products products,
        Split split,
        boolean projectByStep,
        String plan,
        boolean onlyLiveRows) {

    /** The names of all there are, whatever a device can run. */
    private static final List<String> PLANS = Stream.concat(
                    Arrays.stream(Family.values()).map(Family::plan), Stream.of(GraphPlan.NAME, StepsPlan.NAME))
            .distinct()
            .toList();

    /** Who makes the matrix products. */
    enum Products {
        /** cuBLAS if it is there, else our own kernels. */
        BEST,
        CUBLAS,
        OWN
    }

    /** Which products in strict float32 are made of three in TF32. */
    enum Split {
        NONE,
        /** Those that should be faster so; none on devices whose tensor cores are little faster than their other units. */
        LARGE,
        ALL
    }

    /**
     * The system's properties; an empty one counts as left out.
     *
     * @throws IllegalArgumentException when one has a value that it does not know
     */
    static CudaSettings fromProperties() {
        return fromPropertiesBut(Map.of());
    }

    /** As {@link #fromProperties}, with these properties instead of the system's of their names. */
    static CudaSettings fromPropertiesBut(Map<String, String> others) {
        UnaryOperator<String> property = name -> others.getOrDefault(name, System.getProperty(name, ""));
        String folder = property.apply("elman.cuda.libdir");
        return new CudaSettings(
                device("elman.cuda.device", property),
                folder.isEmpty() ? null : Path.of(folder).toAbsolutePath(),
                flag("elman.cuda.tf32", property),
                products("elman.cuda.gemm", property),
                split("elman.cuda.split", property),
                flag("elman.cuda.projectByStep", property),
                plan("elman.cuda.plan", property),
                flag("elman.cuda.onlyLiveRows", property));
    }

    private static int device(String name, UnaryOperator<String> property) {
        String text = property.apply(name);
        if (text.isEmpty()) return 0;
        try {
            int number = Integer.parseInt(text.strip());
            if (number >= 0) return number;
        } catch (NumberFormatException notANumber) {
            // Said below.
        }
        throw unknown(name, text, "the number of a device, such as 0", "leave it out to take the first");
    }

    private static boolean flag(String name, UnaryOperator<String> property) {
        String text = property.apply(name);
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "", "false" -> false;
            case "true" -> true;
            default -> throw unknown(name, text, "true or false", "it is false where it is left out");
        };
    }

    private static Products products(String name, UnaryOperator<String> property) {
        String text = property.apply(name);
        return switch (text) {
            case "" -> Products.BEST;
            case "cublas" -> Products.CUBLAS;
            case "own" -> Products.OWN;
            default ->
                throw unknown(
                        name,
                        text,
                        "cublas or own",
                        "leave it out to take cuBLAS where it is and our own kernels elsewhere");
        };
    }

    private static Split split(String name, UnaryOperator<String> property) {
        String text = property.apply(name);
        return switch (text) {
            case "" -> Split.NONE;
            case "large" -> Split.LARGE;
            case "all" -> Split.ALL;
            default ->
                throw unknown(name, text, "large or all", "leave it out to have no product made of three in TF32");
        };
    }

    private static String plan(String name, UnaryOperator<String> property) {
        String text = property.apply(name);
        if (text.isEmpty()) return null;
        if (PLANS.contains(text)) return text;
        throw unknown(
                name, text, "one of " + String.join(", ", PLANS), "leave it out to have one chosen for each size");
    }

    private static IllegalArgumentException unknown(String name, String value, String known, String otherwise) {
        return new IllegalArgumentException(
                CudaChain.UNUSABLE + name + " must be " + known + ", but is \"" + value + "\"; " + otherwise + ".");
    }
}
