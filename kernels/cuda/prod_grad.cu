// "prod_grad" of device/attrs/: zeros are counted and left out of the product, so that nothing is divided by 0. A group of threads
// reads the elements of one product twice.
#include "any_float.cuh"
#include "device/attrs/reduce.h"
#include "fold_plan.h"
#include "index.cuh"
#include "reduction.cuh"

namespace mpt::cuda {
namespace {

constexpr unsigned kMost = 512;

struct Multiply {
    __device__ __forceinline__ double operator()(double a, double b) const { return a * b; }
};

struct Plan {
    Index<2> kept;  // places in x and in dy
    Index<1> folded;
    std::int64_t outputs, inputs;
    unsigned group;  // threads of one product, a power of 2: parts of a warp, or a block
    bool one_run, small_outputs, small_inputs;
    std::int32_t dy_dtype;
};

template <class T>
__global__ void __launch_bounds__(kMost) prod_grad(const __grid_constant__ Plan plan, const void *dy,
                                                   const typename T::Stored *__restrict__ x, typename T::Stored *__restrict__ dx) {
    const unsigned group = plan.group, lane = threadIdx.x & (group - 1);
    const std::int64_t o = blockIdx.x * std::int64_t{blockDim.x / group} + threadIdx.x / group;
    const bool mine = o < plan.outputs;
    std::int64_t at[2] = {0, 0};
    if (mine) {
        if (plan.small_outputs)
            plan.kept.locate(static_cast<std::uint32_t>(o), at);
        else
            plan.kept.locate(static_cast<std::uint64_t>(o), at);
    }
    const auto place = [&](std::int64_t i) {
        std::int64_t offset[1];
        if (plan.one_run)
            return at[0] + i * plan.folded.strides[0][0];
        else if (plan.small_inputs)
            plan.folded.locate(static_cast<std::uint32_t>(i), offset);
        else
            plan.folded.locate(static_cast<std::uint64_t>(i), offset);
        return at[0] + offset[0];
    };
    double product = 1;
    int zeros = 0;
    if (mine)
#pragma unroll 4
        for (std::int64_t i = lane; i < plan.inputs; i += group) {
            const float v = widen<T>(x[place(i)]);
            product *= v == 0 ? 1.0f : v;
            zeros += v == 0;
        }
    zeros = min(zeros, 2);
    if (group > 32) {
        __shared__ double products[32];
        __shared__ int counts[32];
        product = block_reduce(product, Multiply{}, 1.0, products);
        zeros = block_reduce(zeros, Add{}, 0, counts);
    } else {
        for (unsigned distance = group / 2; distance > 0; distance /= 2) {
            product *= __shfl_xor_sync(~0u, product, distance);
            zeros += __shfl_xor_sync(~0u, zeros, distance);
        }
    }
    if (!mine) return;
    // One zero: only its own gradient is left. Two: none.
    product *= load_any(dy, plan.dy_dtype, at[1]);
    const double whole = zeros == 0 ? product : 0, of_zero = zeros == 1 ? product : 0;
#pragma unroll 2
    for (std::int64_t i = lane; i < plan.inputs; i += group) {
        const std::int64_t offset = place(i);
        const float v = widen<T>(x[offset]);
        dx[offset] = narrow<T>(static_cast<float>(v == 0 ? of_zero : whole / v));
    }
}

std::unique_ptr<Kernel> prepare(Device &, const mpt_mod_call &call) {
    const mpt_mod_operand &dy = call.in[0], &x = call.in[1], &dx = call.out[0];
    need_float("prod_grad", x.dtype);
    need_float("prod_grad", dy.dtype);
    if (x.dtype != dx.dtype || !same_layout(x, dx)) throw Failure{MPT_ERROR_INTERNAL, "prod_grad: dx has another form than x"};
    const FoldPlan fold("prod_grad", x, dy);
    Plan plan{};
    plan.kept = Index<2>(FoldPlan::loop(fold.kept, fold.kept.size()));
    plan.folded = Index<1>(FoldPlan::loop(fold.folded, fold.folded.size()));
    plan.outputs = fold.outputs;
    plan.inputs = fold.inputs;
    plan.one_run = fold.folded.size() == 1;
    plan.small_outputs = small(fold.outputs);
    plan.small_inputs = small(fold.inputs);
    plan.dy_dtype = dy.dtype;
    // Where neighbouring outputs have neighbouring elements, threads side by side take these, as long as there are many.
    plan.group = 1;
    while (plan.group < kMost && plan.inputs > plan.group * 4 && (fold.along || fold.outputs * plan.group < 65536)) plan.group *= 2;
    const unsigned threads = plan.group > 32 ? plan.group : 256;
    const auto blocks = static_cast<unsigned>((fold.outputs + threads / plan.group - 1) / (threads / plan.group));
    return kernel_of("cuda:prod_grad", [=, dtype = x.dtype](const void *const *in, void *const *out, void *, cudaStream_t stream) {
        visit_float("prod_grad", dtype, [&](auto t) {
            using T = decltype(t);
            prod_grad<T><<<blocks, threads, 0, stream>>>(plan, in[0], static_cast<const typename T::Stored *>(in[1]),
                                                         static_cast<typename T::Stored *>(out[0]));
        });
        check_launch("prod_grad");
    });
}
const RegisteredKernel registered("prod_grad", prepare);

}  // namespace
}  // namespace mpt::cuda
