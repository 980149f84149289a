package dev.elman.cpu;

/**
 * A part of a memory as a matrix for a product.
 *
 * @param offset where its first element lies
 * @param stride elements from one stored row to the next
 * @param transposed whether element (i, j) lies in stored row j, column i
 */
record Matrix(Memory memory, int offset, int rows, int columns, int stride, boolean transposed) {
    Matrix transpose() {
        return new Matrix(memory, offset, columns, rows, stride, !transposed);
    }

    /** Where its first element lies in the process's memory. */
    long address() {
        return memory.address() + (long) Float.BYTES * offset;
    }

    /** Where an element of a matrix that is not transposed lies. */
    long address(int row, int column) {
        return memory.address() + Float.BYTES * (offset + (long) row * stride + column);
    }

    /** Every {@code count}th row of a matrix that is not transposed, from row {@code first} on. */
    Matrix every(int count, int first) {
        int left = (rows - first + count - 1) / count;
        return new Matrix(memory, offset + first * stride, left, columns, count * stride, false);
    }

    Matrix columns(int from, int count) {
        return transpose().rows(from, count).transpose();
    }

    Matrix rows(int from, int count) {
        int begin = offset + (transposed ? from : from * stride);
        return new Matrix(memory, begin, count, columns, stride, transposed);
    }
}
