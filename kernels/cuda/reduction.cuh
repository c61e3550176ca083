// Sums and other reductions within a warp or a block, in an order that never changes.
#pragma once

namespace mpt::cuda {

struct Add {
    template <class T>
    __device__ __forceinline__ T operator()(T a, T b) const {
        return a + b;
    }
};
// NaN wins.
struct Max {
    __device__ __forceinline__ float operator()(float a, float b) const { return a > b || a != a ? a : b; }
};
struct Min {
    __device__ __forceinline__ float operator()(float a, float b) const { return a < b || a != a ? a : b; }
};

// Every lane gets the result.
template <class T, class Op>
__device__ __forceinline__ T warp_reduce(T x, Op op) {
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2) x = op(x, __shfl_xor_sync(~0u, x, distance));
    return x;
}

// Every thread gets the result. blockDim.x is a multiple of 32, at most 1024. scratch: 32 elements of shared memory, which may be used
// again right behind the call.
template <class T, class Op>
__device__ __forceinline__ T block_reduce(T x, Op op, T identity, T *scratch) {
    x = warp_reduce(x, op);
    const unsigned warp = threadIdx.x / 32, lane = threadIdx.x % 32, warps = blockDim.x / 32;
    if (lane == 0) scratch[warp] = x;
    __syncthreads();
    x = warp_reduce(lane < warps ? scratch[lane] : identity, op);
    __syncthreads();
    return x;
}

}  // namespace mpt::cuda
