package dev.elman.cuda;

/** Device memory for what lives within one operation; grows to the largest size asked for and then stays. */
final class Workspace {
    private final CudaContext context;
    private DeviceMemory memory;

    Workspace(CudaContext context) {
        this.context = context;
    }

    /** At least this many bytes, of unknown contents, until the next call. */
    long of(long bytes) {
        if (memory == null || memory.bytes() < bytes) {
            if (memory != null) memory.close();
            memory = null;
            memory = new DeviceMemory(context, bytes);
        }
        return memory.address();
    }
}
