package dev.elman.cuda;

import java.nio.file.Path;
import java.util.Locale;

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
 * @param onlyLiveRows whether {@link LiveRows} is used under every mask, however small the products; no property, for tests
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
        /** Those that should be faster so. */
        LARGE,
        ALL
    }

    /**
     * The properties; an empty one counts as left out.
     *
     * @throws IllegalArgumentException when one has a value that it does not know
     */
    static CudaSettings fromProperties() {
        String folder = property("elman.cuda.libdir");
        String plan = property("elman.cuda.plan");
        return new CudaSettings(
                device(property("elman.cuda.device")),
                folder.isEmpty() ? null : Path.of(folder).toAbsolutePath(),
                flag("elman.cuda.tf32"),
                products(property("elman.cuda.gemm")),
                split(property("elman.cuda.split")),
                flag("elman.cuda.projectByStep"),
                plan.isEmpty() ? null : plan,
                false);
    }

    private static String property(String name) {
        return System.getProperty(name, "");
    }

    private static boolean flag(String name) {
        return switch (property(name).toLowerCase(Locale.ROOT)) {
            case "", "false" -> false;
            case "true" -> true;
            default -> throw unknown(name, "true or false", "it is false where it is left out");
        };
    }

    private static IllegalArgumentException unknown(String name, String known, String otherwise) {
        return new IllegalArgumentException(CudaChain.UNUSABLE + name + " must be " + known + ", but is \""
                + property(name) + "\"; " + otherwise + ".");
    }

    CudaSettings withTf32(boolean on) {
        return new CudaSettings(device, libraries, on, products, split, projectByStep, plan, onlyLiveRows);
    }

    CudaSettings withProducts(Products chosen) {
        return new CudaSettings(device, libraries, tf32, chosen, split, projectByStep, plan, onlyLiveRows);
    }

    CudaSettings withProjectByStep() {
        return new CudaSettings(device, libraries, tf32, products, split, true, plan, onlyLiveRows);
    }

    CudaSettings withPlan(String name) {
        return new CudaSettings(device, libraries, tf32, products, split, projectByStep, name, onlyLiveRows);
    }

    CudaSettings withSplit() {
        return new CudaSettings(device, libraries, tf32, products, Split.ALL, projectByStep, plan, onlyLiveRows);
    }

    CudaSettings withOnlyLiveRows() {
        return new CudaSettings(device, libraries, tf32, products, split, projectByStep, plan, true);
    }

    private static Split split(String text) {
        return switch (text) {
            case "" -> Split.NONE;
            case "large" -> Split.LARGE;
            case "all" -> Split.ALL;
            default ->
                throw unknown(
                        "elman.cuda.split", "large or all", "leave it out to have no product made of three in TF32");
        };
    }

    private static Products products(String text) {
        return switch (text) {
            case "" -> Products.BEST;
            case "cublas" -> Products.CUBLAS;
            case "own" -> Products.OWN;
            default ->
                throw unknown(
                        "elman.cuda.gemm",
                        "cublas or own",
                        "leave it out to take cuBLAS where it is and our own kernels elsewhere");
        };
    }

    CudaSettings withDevice(int number) {
        return new CudaSettings(number, libraries, tf32, products, split, projectByStep, plan, onlyLiveRows);
    }

    private static int device(String text) {
        if (text.isEmpty()) return 0;
        try {
            int number = Integer.parseInt(text.strip());
            if (number >= 0) return number;
        } catch (NumberFormatException notANumber) {
            // Said below.
        }
        throw unknown("elman.cuda.device", "the number of a device, such as 0", "leave it out to take the first");
    }
}
