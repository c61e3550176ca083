// What the kernels of whole sequences are made of: which block has which part of the state, the factors of its products in
// registers, and how blocks wait for each other.
#pragma once

#include "any_float.cuh"
#include "device/attrs/recurrent.h"
#include "factors.cuh"
#include "grid.cuh"
#include "recurrent.cuh"

namespace mpt::cuda::sequence {

using namespace factors;

inline constexpr int kUnits = kSide, kRows = kSide;  // of a block; of a tile of its batch
inline constexpr int kLeast = kUnits * kRows;        // threads: one for each sum of a tile
inline constexpr int kMostRows = 128;                // of a group
inline constexpr int kCounterWords = 32;             // a counter has a line of the cache to itself

// [L,N,*], or [N,*] with a step of 0.
template <class Stored>
struct Steps {
    Stored *base = nullptr;  // null: absent
    std::int64_t step = 0, row = 0;
    __device__ __forceinline__ Stored *at(std::int64_t t, std::int64_t n) const { return base + (t * step + n * row); }
};
template <class Stored>
Steps<Stored> steps_of(const mpt_mod_operand &x, const void *base) {
    if (!present(x)) return {};
    auto *at = static_cast<Stored *>(const_cast<void *>(base));
    return x.ndim == 3 ? Steps<Stored>{at, x.strides[0], x.strides[1]} : Steps<Stored>{at, 0, x.strides[0]};
}

struct Form {
    std::int64_t steps = 0, batch = 0;
    int hidden = 0;
    bool reverse = false;
    int slices = 0, groups = 0, rows = 0;  // blocks of a group; groups; rows of one
    int warps = 0;                         // that multiply, each a part of the depth
    unsigned threads = 0;
    std::int64_t weight_row = 0;

    // y: [L,N,H].
    Form(const Device &device, const mpt_mod_call &call, const mpt_mod_operand &y, const mpt_mod_operand &weight)
        : steps(y.shape[0]),
          batch(y.shape[1]),
          reverse(attrs_of<mpt_attrs_recurrent_sequence>(call).reverse != 0),
          weight_row(weight.strides[0]) {
        const std::int64_t width = y.shape[2];
        need(call, device.capability() >= 80, "tensor cores");
        need(call, width % 64 == 0 && width <= 1024 && width / kUnits <= device.multiprocessors(),
             "a hidden size of 64, 128, ... 1024");
        hidden = static_cast<int>(width);
        slices = hidden / kUnits;
        warps = hidden / 64;
        threads = static_cast<unsigned>(std::max(kLeast, warps * 32));
        if (batch == 0) return;
        const std::int64_t most = std::min<std::int64_t>((batch + 7) / 8, device.multiprocessors() / slices);
        const std::int64_t share = ((batch + most - 1) / most + 7) / 8 * 8;
        need(call, share <= kMostRows, "a smaller batch");
        rows = static_cast<int>(share);
        groups = static_cast<int>((batch + share - 1) / share);
        need(call, weight.strides[1] == 1 && weight_row % 8 == 0, "a weight in whole rows");
        for (std::int32_t i = 0; i < call.n_in + call.n_out; ++i) {
            const mpt_mod_operand &x = i < call.n_in ? call.in[i] : call.out[i - call.n_in];
            if (!present(x) || x.ndim < 2) continue;
            bool packs = x.strides[x.ndim - 1] == 1;
            for (int d = 0; d + 1 < x.ndim; ++d) packs &= x.strides[d] % 8 == 0;
            need(call, packs, "rows of whole packs");
        }
    }
    unsigned blocks() const { return static_cast<unsigned>(slices * groups); }
    std::size_t counter_bytes() const { return static_cast<std::size_t>(groups) * kCounterWords * sizeof(unsigned); }
    __device__ __forceinline__ std::int64_t at(std::int64_t i) const { return reverse ? steps - 1 - i : i; }

private:
    static void need(const mpt_mod_call &call, bool met, const char *what) {
        if (!met) throw Failure{MPT_ERROR_UNSUPPORTED, std::string(call.kernel) + ": a GPU takes a whole sequence with " + what};
    }
};

// make(T{}, S{}) for the 16-bit format of a call's first operand and the state's.
template <class F>
std::unique_ptr<Kernel> make_for(const mpt_mod_call &call, std::int32_t state, F &&make) {
    std::unique_ptr<Kernel> kernel;
    visit_cell(call, call.in[0].dtype, state, [&]<class T, class S>(T t, S s) {
        if constexpr (sizeof(typename T::Stored) == 2)
            kernel = make(t, s);
        else
            unsupported_dtype(call.kernel, T::dtype);
    });
    return kernel;
}

// Of one unit, 0 where there are none.
template <int Gates>
struct Biases {
    Biases() = default;
    __device__ __forceinline__ Biases(const Form &form, const Vector &bias, int unit) {
#pragma unroll
        for (int g = 0; g < Gates; ++g) of[g] = bias.read(std::int64_t{g} * form.hidden + unit, 0);
    }
    float of[Gates];
};

// Says that the block has written its part of a step; all its threads call it.
__device__ __forceinline__ void signal(unsigned *counter) {
    __syncthreads();
    if (threadIdx.x == 0) asm volatile("fence.acq_rel.gpu;\n\tred.relaxed.gpu.global.add.u32 [%0], 1;" ::"l"(counter) : "memory");
}
// By a warp: until so many have.
__device__ __forceinline__ void wait_for(const unsigned *counter, unsigned count) {
    if (threadIdx.x % 32 == 0) {
        unsigned seen;
        do asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(seen) : "l"(counter) : "memory");
        while (seen < count);
    }
    __syncwarp();
}

// The thread's place in the grid and in a tile of rows.
struct Place {
    int unit, in_tile;  // of the sum that it finishes, if it does
    int rows;           // of the group
    std::int64_t first_row;
    bool finishes;

    __device__ __forceinline__ explicit Place(const Form &form) {
        const int slice = static_cast<int>(blockIdx.x) % form.slices, group = static_cast<int>(blockIdx.x) / form.slices;
        unit = slice * kUnits + static_cast<int>(threadIdx.x) % kUnits;
        in_tile = static_cast<int>(threadIdx.x) / kUnits;
        first_row = std::int64_t{group} * form.rows;
        rows = static_cast<int>(min(std::int64_t{form.rows}, form.batch - first_row));
        finishes = threadIdx.x < kLeast;
    }
    __device__ __forceinline__ int first_unit() const { return unit - static_cast<int>(threadIdx.x) % kUnits; }
    // Of the warps' partial sums of a tile, which lie so far apart.
    __device__ __forceinline__ float sum(const Form &form, const float *partials, int apart) const {
        float sum = 0;
        for (int w = 0; w < form.warps; ++w) sum += partials[w * apart + in_tile * kPitch + static_cast<int>(threadIdx.x) % kUnits];
        return sum;
    }
};

}  // namespace mpt::cuda::sequence
