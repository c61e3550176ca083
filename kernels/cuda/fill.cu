// "fill" of device/attrs/data.h.
#include "device/attrs/data.h"
#include "units.cuh"

namespace mpt::cuda {
namespace {

template <class U, class I>
__global__ void fill(Index<1> index, I units, U value, U *out) {
    for (I i = blockIdx.x * I{blockDim.x} + threadIdx.x; i < units; i += I{gridDim.x} * blockDim.x) {
        std::int64_t at[1];
        index.locate(i, at);
        out[at[0]] = value;
    }
}

// One dense row of any number of bytes.
template <class I>
__global__ void fill_row(I units, unsigned rest, uint4 value, uint4 *out) {
    const I first = blockIdx.x * I{blockDim.x} + threadIdx.x;
    for (I i = first; i < units; i += I{gridDim.x} * blockDim.x) out[i] = value;
    if (first < rest)
        reinterpret_cast<std::uint8_t *>(out + units)[first] =
            static_cast<std::uint8_t>((first & 4 ? value.y : value.x) >> 8 * (first & 3));
}

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    const int bytes = static_cast<int>(bytes_of(call.out[0].dtype));
    const uint4 value = encoded("fill", call.out[0].dtype, attrs_of<mpt_attrs_fill>(call).value);
    return kernel_of("cuda:fill", [&device, bytes, value, loop = Loop("fill", {&call.out[0]})](
                                      const void *const *, void *const *out, void *, cudaStream_t stream) {
        if (loop.ndim == 1 && loop.inner_stride(0) == 1 && aligned(out[0], kLargestUnit)) {
            const std::int64_t units = loop.count * bytes / kLargestUnit, rest = loop.count * bytes % kLargestUnit;
            visit_count(units, [&](auto i) {
                fill_row<<<blocks_for(device, units, kThreads, 32), kThreads, 0, stream>>>(
                    static_cast<decltype(i)>(units), static_cast<unsigned>(rest), value, static_cast<uint4 *>(out[0]));
            });
        } else {
            const int unit = unit_of<1>(loop, bytes, {out[0]});
            const Loop units = in_units(loop, unit / bytes, 1);
            const unsigned blocks = blocks_for(device, units.count, kThreads, 32);
            visit_unit(unit, [&](auto u) {
                using U = decltype(u);
                visit_count(units.count, [&](auto i) {
                    using I = decltype(i);
                    fill<<<blocks, kThreads, 0, stream>>>(Index<1>(units), static_cast<I>(units.count), part_of<U>(value),
                                                          static_cast<U *>(out[0]));
                });
            });
        }
        check_launch("fill");
    });
}
const RegisteredKernel registered("fill", prepare);

}  // namespace
}  // namespace mpt::cuda
