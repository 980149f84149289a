package dev.elman.cuda;

import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.JCudaDriver;

/**
 * What a GPU and its driver can do.
 *
 * @param capability 10 * major + minor of the compute capability
 * @param driver 1000 * major + 10 * minor of the driver's CUDA
 * @param cooperative whether it has launches all of whose blocks run at the same time
 */
record Device(int capability, int driver, int multiprocessors, boolean cooperative) {
    /** What {@code kernels/cluster.cu} is written in came with CUDA 12.1. */
    private static final int OLDEST_DRIVER_FOR_CLUSTERS = 12010;

    static Device of(CudaCalls calls, CUdevice device) {
        int major = attribute(calls, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device);
        int minor = attribute(calls, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, device);
        return new Device(
                10 * major + minor,
                driver(calls),
                attribute(calls, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, device),
                attribute(calls, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COOPERATIVE_LAUNCH, device) != 0);
    }

    private static int attribute(CudaCalls calls, int attribute, CUdevice device) {
        int[] value = {0};
        calls.driver(
                "cuDeviceGetAttribute",
                () -> CUdevice_attribute.stringFor(attribute),
                () -> JCudaDriver.cuDeviceGetAttribute(value, attribute, device));
        return value[0];
    }

    /** 1000 * major + 10 * minor of the driver's CUDA. */
    static int driver(CudaCalls calls) {
        int[] version = {0};
        calls.driver("cuDriverGetVersion", () -> JCudaDriver.cuDriverGetVersion(version));
        return version[0];
    }

    /** Why blocks cannot form clusters, or null if they can. */
    String withoutClusters() {
        if (capability < 90) return "clusters of blocks need compute capability 9.0";
        if (driver < OLDEST_DRIVER_FOR_CLUSTERS) return "its kernels need a driver of CUDA 12.1";
        return null;
    }

    /** Why nothing multiplies in TF32, or null if tensor cores do. */
    String withoutTensorCores() {
        return capability < 80 ? "tensor cores that take TF32 need compute capability 8.0" : null;
    }

    /** Why blocks cannot be launched to wait for each other, or null if they can. */
    String withoutGrids() {
        return cooperative ? null : "this device has no cooperative launches";
    }

    /**
     * Whether tensor cores multiply in TF32 eight times as fast as the other units in float32, and more: those of compute
     * capabilities 8.0, 9.0 and 10.0 do, by NVIDIA's data sheets, those of 8.6, 8.9 and 12.0 once to twice as fast.
     */
    boolean fastTensorCores() {
        return capability == 80 || (capability >= 90 && capability < 120);
    }
}
