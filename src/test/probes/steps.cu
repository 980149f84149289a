// What one launch, one step and one byte cost: kernels that do little else, so that the time is that of the launch, the
// barrier or the memory. Each leaves numbers by which the host sees that it did what was timed.

// Thread 0 of each block counts its launches.
extern "C" __global__ void __launch_bounds__(32) probe_count(unsigned* counters) {
    if (threadIdx.x == 0) counters[blockIdx.x] += 1;
}

// One step inside a block: read what another thread wrote in the step before, write, one barrier. The numbers 0 to 255
// go round: thread t ends with (t + steps) % 256.
extern "C" __global__ void __launch_bounds__(256) probe_block_steps(unsigned* out, unsigned steps) {
    __shared__ unsigned values[2][256];
    unsigned thread = threadIdx.x;
    values[0][thread] = thread;
    __syncthreads();
    for (unsigned step = 0; step < steps; step++) {
        values[(step + 1) & 1][thread] = values[step & 1][(thread + 1) & 255];
        __syncthreads();
    }
    out[(size_t)blockIdx.x * 256 + thread] = values[steps & 1][thread];
}

static __device__ __forceinline__ void arrive(unsigned* counter) {
    asm volatile("red.release.gpu.global.add.u32 [%0], 1;" ::"l"(counter) : "memory");
}

static __device__ __forceinline__ unsigned acquired(const unsigned* counter) {
    unsigned value;
    asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(value) : "l"(counter) : "memory");
    return value;
}

// One step across the grid, which must be resident as a whole: read another block's number, write one's own, arrive at a
// counter and wait until all have. Block b ends with (b + steps) % blocks in cells[steps & 1][b]. A wait is given up after
// `patience` looks at the counter, and late[0] says so; the other blocks then give up by themselves.
extern "C" __global__ void __launch_bounds__(256)
    probe_grid_steps(unsigned* cells, unsigned* arrived, unsigned* late, unsigned steps, unsigned patience) {
    __shared__ unsigned given_up;
    unsigned blocks = gridDim.x, block = blockIdx.x;
    if (threadIdx.x == 0) given_up = 0;
    __syncthreads();
    for (unsigned step = 0; step < steps; step++) {
        if (threadIdx.x == 0) {
            unsigned other = block + 1 == blocks ? 0 : block + 1;
            unsigned* now = cells + (size_t)(step & 1) * blocks;
            unsigned* next = cells + (size_t)((step + 1) & 1) * blocks;
            next[block] = __ldcg(now + other);
        }
        __syncthreads();
        if (threadIdx.x == 0) {
            arrive(arrived);
            unsigned looks = 0;
            while (acquired(arrived) < (step + 1) * blocks && looks < patience) looks++;
            if (looks == patience) {
                given_up = 1;
                late[0] = 1;
            }
        }
        __syncthreads();
        if (given_up) return;
    }
}

// Every block reads the same memory from L2, past L1, as all blocks of a group read the state of the step before. The sum
// of a thread's words goes out.
extern "C" __global__ void __launch_bounds__(512)
    probe_read_shared(const uint4* data, unsigned vectors, unsigned rounds, unsigned* sums) {
    unsigned sum = 0;
    for (unsigned round = 0; round < rounds; round++) {
#pragma unroll 8
        for (unsigned i = threadIdx.x; i < vectors; i += 512) {
            uint4 v;
            asm volatile("ld.global.cg.v4.u32 {%0, %1, %2, %3}, [%4];"
                         : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
                         : "l"(data + i));
            sum += v.x + v.y + v.z + v.w;
        }
    }
    sums[(size_t)blockIdx.x * 512 + threadIdx.x] = sum;
}
