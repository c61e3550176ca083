// "gather" and "index_select" of device/attrs/index.h.
#include <algorithm>
#include <limits>

#include "device/attrs/index.h"
#include "index_read.cuh"
#include "units.cuh"

namespace mpt::cuda {
namespace {

// Offsets: of output, of input without the index, in units; of the index.
template <class U, class I>
__global__ void take(Index<3> loop, I units, IndexReader reader, std::uint64_t extent, std::int64_t step, U outside,
                     const void *index, const U *in, U *out) {
    for (I i = blockIdx.x * I{blockDim.x} + threadIdx.x; i < units; i += I{gridDim.x} * blockDim.x) {
        std::int64_t at[3];
        loop.locate(i, at);
        const std::int64_t place = reader.at(index, at[2]);
        out[at[0]] = static_cast<std::uint64_t>(place) < extent ? in[at[1] + place * step] : outside;
    }
}

// index: of y's shape, by strides of 0 where it is one for several elements.
std::unique_ptr<Kernel> kernel_of_gather(const char *name, Device &device, const mpt_mod_call &call, const mpt_mod_operand &index) {
    const mpt_mod_operand &y = call.out[0];
    const auto &attrs = attrs_of<mpt_attrs_index>(call);
    mpt_mod_operand x = call.in[0];
    if (attrs.dim < 0 || attrs.dim >= x.ndim || x.dtype != y.dtype || x.ndim != y.ndim)
        throw Failure{MPT_ERROR_INTERNAL, std::string(call.kernel) + ": the operands do not fit"};
    const auto extent = static_cast<std::uint64_t>(x.shape[attrs.dim]);
    const std::int64_t step = x.strides[attrs.dim];
    std::copy_n(y.shape, y.ndim, x.shape);
    x.strides[attrs.dim] = 0;
    const Loop loop(call.kernel, {&y, &x, &index});
    const IndexReader reader(call.kernel, call.in[1].dtype);
    const bool floating = y.dtype == MPT_F64 || y.dtype == MPT_F32 || y.dtype == MPT_F16 || y.dtype == MPT_BF16;
    const uint4 outside = encoded(call.kernel, y.dtype, floating && !attrs.zero ? std::numeric_limits<double>::quiet_NaN() : 0);
    const int bytes = static_cast<int>(bytes_of(y.dtype));
    return kernel_of(name, [=, &device](const void *const *in, void *const *out, void *, cudaStream_t stream) {
        const int unit = unit_of<2>(loop, bytes, {out[0], in[0]}, step), elements = unit / bytes;
        const Loop units = in_units(loop, elements, 2);
        const unsigned blocks = blocks_for(device, units.count, kThreads, 32);
        visit_unit(unit, [&](auto u) {
            using U = decltype(u);
            visit_count(units.count, [&](auto i) {
                take<<<blocks, kThreads, 0, stream>>>(Index<3>(units), static_cast<decltype(i)>(units.count), reader, extent,
                                                      step / elements, part_of<U>(outside), in[1], static_cast<const U *>(in[0]),
                                                      static_cast<U *>(out[0]));
            });
        });
        check_launch(name);
    });
}

std::unique_ptr<Kernel> prepare_gather(Device &device, const mpt_mod_call &call) {
    return kernel_of_gather("cuda:gather", device, call, call.in[1]);
}

std::unique_ptr<Kernel> prepare_index_select(Device &device, const mpt_mod_call &call) {
    const std::int32_t dim = attrs_of<mpt_attrs_index>(call).dim;
    mpt_mod_operand index = call.out[0];
    if (dim < 0 || dim >= index.ndim) throw Failure{MPT_ERROR_INTERNAL, "index_select: dim is outside its range"};
    std::fill_n(index.strides, index.ndim, 0);
    index.strides[dim] = call.in[1].strides[0];
    return kernel_of_gather("cuda:index_select", device, call, index);
}

const RegisteredKernel registered_gather("gather", prepare_gather), registered_select("index_select", prepare_index_select);

}  // namespace
}  // namespace mpt::cuda
