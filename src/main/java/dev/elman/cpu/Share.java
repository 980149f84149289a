package dev.elman.cpu;

/**
 * The part of each step's states [N,H] that one task computes: some rows or some columns.
 *
 * @param width H
 */
record Share(int firstRow, int rows, int firstColumn, int columns, int width) {
    /** Whether its elements in a slot lie one after the other. */
    boolean contiguous() {
        return columns == width || rows == 1;
    }

    /** The first element of its row number {@code row} in the slot that begins at row {@code slotRow} of the states. */
    int begin(int slotRow, int row) {
        return (slotRow + firstRow + row) * width + firstColumn;
    }
}
