package dev.elman.io;

/** Element types, by their names in safetensors. Those without an accessor in {@link NdArray} are read and written as bytes. */
public enum DType {
    BOOL(1),
    U8(1),
    I8(1),
    U16(2),
    I16(2),
    F16(2),
    BF16(2),
    U32(4),
    I32(4),
    F32(4),
    U64(8),
    I64(8),
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
