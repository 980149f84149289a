// compute_90, PTX 8.1
// Elman's recurrence over a whole sequence in one launch, of up to eight rows by two blocks, a cluster, with the products on tensor cores in
// TF32: tensor_cluster.cu for 193 to 256 nodes. Here a warp multiplies all nodes, see tile.cuh, and both blocks have all states in
// shared memory: who computes an element sends it to the other one, as in cluster.cu, and what is sent is counted there.
//
// Otherwise as sequence.cu: projections in place, masks, and bits that depend neither on N nor on T nor on a row's neighbours.
// SIZE is what H is padded to: 256.
//
// Floor of a step, in cycles of a multiprocessor: the products SIZE^2 / 256 (256; with mma.sync 1.6 times that), while each warp reads
// all states, SIZE^2 / 128 (512); tanh of 4 SIZE elements (200); sending (400 for one number, SIZE / 8 more for each further
// row at 16 bytes a cycle); and in a chain the first read (30), tanh (100; the derivative 40), the barrier (30): 0.75 us at 1.98 GHz for eight rows.
// Bytes of memory: 8 H forward and 12 H backward for each row, 4 more with the mask. One barrier of a block a step, one launch.
// An H200 took 0.88 us for one row and 0.97 for eight, up to 528 rows in all, where it took 2.2 for 512 rows with tensor.cu.

#include "cluster.cuh"
#define CLUSTER __cluster_dims__(2, 1, 1)
#include "tile.cuh"

/// Two blocks, each with half of the nodes: what one computes it sends to the other. A barrier object for even steps and one for odd
/// ones counts the bytes that come.
struct Pair {
    static const int BLOCKS = 2;

    unsigned long long arrivals[2];

    static __device__ int rank() { return rankInCluster(); }

    __device__ Arrivals of(int step) const { return {sharedAddress(arrivals) + 8 * (step & 1)}; }

    template <typename P>
    __device__ int begin(int rows, int last) {
        int comes = kept(4 * P::PARTS * rows * P::SLICE);
        if (threadIdx.x < 2) {
            of(threadIdx.x).begin();
            if (last >= (threadIdx.x == 0 ? 2 : 1)) of(threadIdx.x).expect(comes);
        }
        return comes;
    }

    __device__ void start() const { meet(); }

    __device__ void await(int step, int last, int comes) const {
        if (step == 0) return;
        of(step).await(step - 1 >> 1 & 1);
        if (threadIdx.x == 0 && step + 2 <= last) of(step).expect(comes);
        __syncwarp(); // tensor cores take a whole warp
    }

    __device__ void send(unsigned address, int step, float value) const {
        ::send(address, of(step).address, 1 - rank(), value);
    }
};

FORWARD(tensor_cluster_tf32_forward_256_8, 256, false, Pair)
BACKWARD(tensor_cluster_tf32_backward_256_8, 256, false, Pair)
