// "range" of device/attrs/shape.h.
#include "device/attrs/shape.h"
#include "units.cuh"

namespace mpt::cuda {
namespace {

// The second offset of an element is its place in logical order. Two roundings, as on the CPU.
template <class To>
__global__ void fill_range(Index<2> index, std::uint64_t count, double start, double step, typename To::Stored *out) {
    for (std::uint64_t i = blockIdx.x * std::uint64_t{blockDim.x} + threadIdx.x; i < count;
         i += std::uint64_t{gridDim.x} * blockDim.x) {
        std::int64_t at[2];
        index.locate(i, at);
        out[at[0]] = narrow<To, double>(__dadd_rn(start, __dmul_rn(static_cast<double>(at[1]), step)));
    }
}

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    const auto &attrs = attrs_of<mpt_attrs_range>(call);
    const mpt_mod_operand order = row_major(call.out[0]);
    const Loop loop("range", {&call.out[0], &order});
    std::unique_ptr<Kernel> kernel;
    visit("range", call.out[0].dtype, [&](auto to) {
        using To = decltype(to);
        kernel =
            kernel_of("cuda:range", [&device, loop, attrs](const void *const *, void *const *out, void *, cudaStream_t stream) {
                fill_range<To><<<blocks_for(device, loop.count), kThreads, 0, stream>>>(
                    Index<2>(loop), static_cast<std::uint64_t>(loop.count), attrs.start, attrs.step,
                    static_cast<typename To::Stored *>(out[0]));
                check_launch("range");
            });
    });
    return kernel;
}
const RegisteredKernel registered("range", prepare);

}  // namespace
}  // namespace mpt::cuda
