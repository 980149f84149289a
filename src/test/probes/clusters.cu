// compute_90
// Clusters: whether they start at all, what their barrier costs, and how fast blocks read and write each other's shared
// memory. A kernel that finds itself in no cluster of the size it is for leaves ~0 and does nothing else.

static constexpr unsigned THREADS = 256;
static constexpr unsigned VECTORS = 2048;  // 32 KiB of shared memory

static __device__ __forceinline__ unsigned cluster_rank() {
    unsigned rank;
    asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
    return rank;
}

static __device__ __forceinline__ unsigned cluster_size() {
    unsigned size;
    asm volatile("mov.u32 %0, %%cluster_nctarank;" : "=r"(size));
    return size;
}

static __device__ __forceinline__ void cluster_barrier() {
    asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory");
    asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory");
}

// The address of `here`, which lies in shared memory, in the block of that rank.
static __device__ __forceinline__ unsigned address_in(unsigned rank, const void* here) {
    unsigned address, own = (unsigned)__cvta_generic_to_shared(here);
    asm volatile("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(address) : "r"(own), "r"(rank));
    return address;
}

static __device__ __forceinline__ void store_to(unsigned address, uint4 v) {
    asm volatile("st.shared::cluster.v4.u32 [%0], {%1, %2, %3, %4};" ::"r"(address), "r"(v.x), "r"(v.y), "r"(v.z), "r"(v.w)
                 : "memory");
}

static __device__ __forceinline__ uint4 load_from(unsigned address) {
    uint4 v;
    asm volatile("ld.shared::cluster.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
                 : "r"(address)
                 : "memory");
    return v;
}

// One step across a cluster: each thread pushes its number into the next block, one barrier. The blocks' numbers go round:
// the block of rank r ends with those that rank (r - steps) mod size began with, 256 * rank + thread.
static __device__ __forceinline__ void steps_across(
    unsigned size, unsigned (*values)[THREADS], unsigned* out, unsigned steps) {
    unsigned thread = threadIdx.x, rank = cluster_rank();
    unsigned* mine = out + (size_t)blockIdx.x * THREADS + thread;
    if (cluster_size() != size) {
        *mine = ~0u;
        return;
    }
    values[0][thread] = rank * THREADS + thread;
    unsigned next = rank + 1 == size ? 0 : rank + 1;
    unsigned there = address_in(next, &values[0][thread]);
    cluster_barrier();
    for (unsigned step = 0; step < steps; step++) {
        unsigned value = values[step & 1][thread];
        asm volatile("st.shared::cluster.u32 [%0], %1;" ::"r"(there + ((step + 1) & 1) * 4 * THREADS), "r"(value) : "memory");
        cluster_barrier();
    }
    *mine = values[steps & 1][thread];
}

#define STEPS(name, size)                                                                                          \
    extern "C" __global__ void __cluster_dims__(size) __launch_bounds__(256) name(unsigned* out, unsigned steps) { \
        __shared__ unsigned values[2][THREADS];                                                                    \
        steps_across(size, values, out, steps);                                                                    \
    }

STEPS(probe_cluster_2, 2)
STEPS(probe_cluster_4, 4)
STEPS(probe_cluster_8, 8)
STEPS(probe_cluster_16, 16)

// The same with a size that the host asks for by an attribute of the function.
extern "C" __global__ void __launch_bounds__(256) probe_cluster_asked(unsigned* out, unsigned steps, unsigned size) {
    __shared__ unsigned values[2][THREADS];
    steps_across(size, values, out, steps);
}

// Each block reads the other blocks' 32 KiB, one block after the other, from the next rank on. The sum of a thread's words
// goes out.
extern "C" __global__ void __cluster_dims__(8) __launch_bounds__(256) probe_cluster_read(unsigned* sums, unsigned rounds) {
    __shared__ uint4 data[VECTORS];
    unsigned thread = threadIdx.x, rank = cluster_rank(), sum = 0;
    if (cluster_size() != 8) {
        sums[(size_t)blockIdx.x * THREADS + thread] = ~0u;
        return;
    }
    for (unsigned i = thread; i < VECTORS; i += THREADS) data[i] = make_uint4(rank, i, rank + i, 1);
    cluster_barrier();
    for (unsigned round = 0; round < rounds; round++) {
        unsigned from = address_in((rank + 1 + round % 7) & 7, data + thread);
#pragma unroll
        for (unsigned i = 0; i < VECTORS / THREADS; i++) {
            uint4 v = load_from(from + 16 * THREADS * i);
            sum += v.x + v.y + v.z + v.w;
        }
    }
    cluster_barrier();  // nobody leaves while others read its memory
    sums[(size_t)blockIdx.x * THREADS + thread] = sum;
}

// Each block writes 32 KiB into the other blocks, one after the other, a barrier after each; the last writer's numbers
// stay. The sum of a thread's words goes out.
extern "C" __global__ void __cluster_dims__(8) __launch_bounds__(256) probe_cluster_write(unsigned* sums, unsigned rounds) {
    __shared__ uint4 data[VECTORS];
    unsigned thread = threadIdx.x, rank = cluster_rank(), sum = 0;
    if (cluster_size() != 8) {
        sums[(size_t)blockIdx.x * THREADS + thread] = ~0u;
        return;
    }
    cluster_barrier();  // nobody writes into a block that has not begun
    for (unsigned round = 0; round < rounds; round++) {
        unsigned to = address_in((rank + 1 + round % 7) & 7, data + thread);
#pragma unroll
        for (unsigned i = 0; i < VECTORS / THREADS; i++) {
            store_to(to + 16 * THREADS * i, make_uint4(rank, thread + THREADS * i, round, 1));
        }
        cluster_barrier();
    }
    for (unsigned i = thread; i < VECTORS; i += THREADS) sum += data[i].x + data[i].y + data[i].z + data[i].w;
    sums[(size_t)blockIdx.x * THREADS + thread] = sum;
}
