// How the blocks of a cluster reach each other's shared memory: cluster.cu, tensor_cluster.cu and tensor_pair.cu. Needs compute
// capability 9.0 and PTX 8.1.

__device__ unsigned rankInCluster() {
    unsigned rank;
    asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
    return rank;
}

/// All threads of the cluster meet, and see what the others wrote.
__device__ void meet() {
    asm volatile("barrier.cluster.arrive.release;\n\tbarrier.cluster.wait.acquire;" ::: "memory");
}

/// The address in block `rank` of the cluster of what is at `here` in this one.
__device__ unsigned inBlock(unsigned rank, unsigned here) {
    unsigned there;
    asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(there) : "r"(here), "r"(rank));
    return there;
}

/// A barrier object, by its address in shared memory: counts the bytes that are sent into a buffer of this block.
struct Arrivals {
    unsigned address;

    __device__ void begin() const { asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;" ::"r"(address) : "memory"); }

    /// So many bytes shall come.
    __device__ void expect(int bytes) const {
        asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(address), "r"(bytes) : "memory");
    }

    /// Waits for the bytes that were expected; `parity` is 0 for the first time, then 1, and so on in turns.
    __device__ void await(unsigned parity) const {
        unsigned done;
        do {
            asm volatile(
                    "{\n\t.reg .pred p;\n\t"
                    "mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 p, [%1], %2;\n\t"
                    "selp.u32 %0, 1, 0, p;\n\t}"
                    : "=r"(done)
                    : "r"(address), "r"(parity)
                    : "memory");
        } while (!done);
    }
};

/// Sends a number to `place` in block `rank`, and counts it at `arrivals` there.
__device__ void send(unsigned place, unsigned arrivals, unsigned rank, float value) {
    asm volatile("st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.f32 [%0], %1, [%2];" ::"r"(inBlock(rank, place)),
                 "f"(value), "r"(inBlock(rank, arrivals))
                 : "memory");
}

/// Sends four numbers, in one instruction, to where inBlock says; `place` is that of the first and aligned to 16 bytes.
__device__ void send(unsigned place, unsigned arrivals, float4 values) {
    asm volatile("st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.v4.f32 [%0], {%1, %2, %3, %4}, [%5];" ::"r"(place),
                 "f"(values.x), "f"(values.y), "f"(values.z), "f"(values.w), "r"(arrivals)
                 : "memory");
}
