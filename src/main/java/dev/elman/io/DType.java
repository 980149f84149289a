package dev.elman.io;

/** Element types that are read and written; safetensors knows more. */
public enum DType {
    F32(4),
    F64(8),
    I32(4),
    I64(8);

    private final int bytes;

    DType(int bytes) {
        this.bytes = bytes;
    }

    /** Size of one element. */
    public int bytes() {
        return bytes;
    }
}
