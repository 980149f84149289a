package dev.elman.io;

/** Element types, by their names in safetensors. Those without an accessor in {@link NdArray} are read and written as bytes. */
public enum DType {
    /** Truth values, a byte of 0 or 1 each: masks that NumPy saved. */
    BOOL(1),
    /** Unsigned bytes: pixels, or raw bytes that are no numbers. */
    U8(1),
    /** Signed bytes, as quantized weights are. */
    I8(1),
    /** Unsigned, two bytes: ids of vocabularies up to 65536. */
    U16(2),
    /** Signed, two bytes: sound samples, ids of small vocabularies. */
    I16(2),
    /** IEEE 754's binary16, 11 significant bits, up to 65504: weights saved in half precision. Read by {@link NdArray#toFloats}. */
    F16(2),
    /** The upper half of an F32, 8 significant bits in its range: weights of bfloat16 training. Read by {@link NdArray#toFloats}. */
    BF16(2),
    /** Unsigned, four bytes; an int holds only the lower half of them. */
    U32(4),
    /** Token ids and labels as Java has them; see {@link NdArray#ints}. */
    I32(4),
    /** Weights, in every model file that elman writes; see {@link NdArray#floats}. */
    F32(4),
    /** Unsigned, eight bytes; a long holds only the lower half of them. */
    U64(8),
    /** Token ids and labels as NumPy and PyTorch have them by default; see {@link NdArray#longs}. */
    I64(8),
    /** What NumPy makes of plain numbers, and what elman's checkpoints hold; see {@link NdArray#doubles}. */
    F64(8);

    private final int bytes;

    DType(int bytes) {
        this.bytes = bytes;
    }

    /** Whether this is one of the four floating-point types. */
    public boolean isReal() {
        return this == F16 || this == BF16 || this == F32 || this == F64;
    }

    /** Bytes of one element. */
    public int bytes() {
        return bytes;
    }
}
