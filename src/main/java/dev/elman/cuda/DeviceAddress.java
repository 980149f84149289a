package dev.elman.cuda;

import jcuda.driver.CUdeviceptr;

/** A device pointer that tells its address, which JCuda's own keeps to itself. */
final class DeviceAddress extends CUdeviceptr {
    private static final CUdeviceptr NULL = new CUdeviceptr();

    DeviceAddress() {}

    /** The address that a pointer of JCuda's holds. */
    DeviceAddress(CUdeviceptr pointer) {
        super(pointer);
    }

    /** The address as a number. */
    long value() {
        return getNativePointer() + getByteOffset();
    }

    /** A pointer to this address. */
    static CUdeviceptr of(long address) {
        return NULL.withByteOffset(address);
    }
}
