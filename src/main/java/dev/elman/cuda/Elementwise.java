package dev.elman.cuda;

import dev.elman.backend.Operands;
import jcuda.driver.JCudaDriver;

/** Whole tensors, rows and columns; all arguments are addresses. */
final class Elementwise {
    private final CudaContext context;
    private final KernelModule kernels;

    Elementwise(CudaContext context, KernelModule kernels) {
        this.context = context;
        this.kernels = kernels;
    }

    void fill(long y, long size, float value) {
        context.fill(y, size, Float.floatToRawIntBits(value));
    }

    void copy(long x, long y, long size) {
        if (size == 0 || x == y) return;
        context.calls()
                .driver(
                        "cuMemcpyDtoDAsync",
                        () -> size + " floats",
                        () -> JCudaDriver.cuMemcpyDtoDAsync(
                                DeviceAddress.of(y), DeviceAddress.of(x), 4 * size, context.stream()));
    }

    void axpy(double alpha, long x, long y, long size) {
        kernels.get(Kernel.AXPY).real(alpha).pointer(x).pointer(y).count(size).over(size);
    }

    void multiply(long a, long b, long y, long size) {
        kernels.get(Kernel.MULTIPLY)
                .pointer(a)
                .pointer(b)
                .pointer(y)
                .count(size)
                .over(size);
    }

    /** The first {@code columns} columns at x, whose rows are {@code widthX} long, to those at y. */
    void copyColumns(long x, int widthX, long y, int widthY, int rows, int columns) {
        kernels.get(Kernel.COPY_COLUMNS)
                .pointer(x)
                .count(widthX)
                .pointer(y)
                .count(widthY)
                .count(rows)
                .count(columns)
                .overQuads(rows, columns);
    }

    /** y [T,N,C] = m [N,C] * x at every step, 0 where m is. */
    void keep(long factors, long x, long y, Operands.Sequence sizes) {
        keep(Kernel.RNN_KEEP, factors, x, y, sizes);
    }

    /** The same, added to y. */
    void keepAdd(long factors, long x, long y, Operands.Sequence sizes) {
        keep(Kernel.RNN_KEEP_ADD, factors, x, y, sizes);
    }

    private void keep(Kernel kernel, long factors, long x, long y, Operands.Sequence sizes) {
        kernels.get(kernel)
                .pointer(factors)
                .pointer(x)
                .pointer(y)
                .count(sizes.t())
                .count(sizes.n())
                .count(sizes.c())
                .overQuads((long) sizes.t() * sizes.n(), sizes.c());
    }

    void maskRows(long x, long keep, long y, Operands.Matrix sizes) {
        kernels.get(Kernel.MASK_ROWS)
                .pointer(x)
                .pointer(keep)
                .pointer(y)
                .count(sizes.m())
                .count(sizes.c())
                .overQuads(sizes.m(), sizes.c());
    }

    void addBias(long b, long y, int rows, int columns) {
        kernels.get(Kernel.ADD_BIAS)
                .pointer(b)
                .pointer(y)
                .count(rows)
                .count(columns)
                .overQuads(rows, columns);
    }

    void gatherRows(long table, long ids, long y, int rows, int columns) {
        kernels.get(Kernel.EMBEDDING_FORWARD)
                .pointer(table)
                .pointer(ids)
                .pointer(y)
                .count(rows)
                .count(columns)
                .overQuads(rows, columns);
    }

    /** Row ids[i] of y [any,columns] = row i of x [rows,columns]; no id comes twice. */
    void scatterRows(long x, long ids, long y, int rows, int columns) {
        kernels.get(Kernel.SCATTER_ROWS)
                .pointer(x)
                .pointer(ids)
                .pointer(y)
                .count(rows)
                .count(columns)
                .overQuads(rows, columns);
    }
}
