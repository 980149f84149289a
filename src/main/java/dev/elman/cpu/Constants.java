package dev.elman.cpu;

import java.nio.ByteBuffer;

/**
 * Operands for OpenBLAS that never change. Of each thread that asks and not of the class, as memory that there is none of for
 * a moment can be asked for again, but a class that did not get it is lost for good.
 */
final class Constants {
    private static final ThreadLocal<Constants> OF_THREAD = ThreadLocal.withInitial(Constants::new);

    private static final int ONES = Float.BYTES * Gemm.SUMMED_ROWS;
    private static final int IDENTITY = Float.BYTES * Panels.VECTOR * Panels.VECTOR;

    /** The ones, then the identity; kept as long as the thread lives. */
    private final ByteBuffer bytes = OffHeap.collected(ONES + IDENTITY);

    private final long address = OpenBlas.address(bytes);

    private Constants() {
        for (int i = 0; i < Gemm.SUMMED_ROWS; i++) bytes.putFloat(Float.BYTES * i, 1);
        for (int i = 0; i < Panels.VECTOR; i++) bytes.putFloat(ONES + Float.BYTES * i * (Panels.VECTOR + 1), 1);
    }

    static Constants ofThread() {
        return OF_THREAD.get();
    }

    /** Where a row of {@link Gemm#SUMMED_ROWS} ones lies. */
    long ones() {
        return address;
    }

    /** Where the identity [{@link Panels#VECTOR},{@link Panels#VECTOR}] lies. */
    long identity() {
        return address + ONES;
    }
}
