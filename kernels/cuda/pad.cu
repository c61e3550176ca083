// "pad" of device/attrs/shape.h: in the order of the output's memory.
#include <algorithm>

#include "device/attrs/shape.h"
#include "units.cuh"

namespace mpt::cuda {
namespace {

// The output's dimensions, outermost first; extents and offsets in units.
struct Frame {
    int ndim = 0;
    Divider extents[MPT_MAX_DIMS];
    std::int64_t before[MPT_MAX_DIMS], inside[MPT_MAX_DIMS];  // where the input begins, and how much of it there is
    std::int64_t step[MPT_MAX_DIMS], from[MPT_MAX_DIMS];      // strides of output and input
};

template <class U, class I>
__global__ void pad(Frame frame, I units, U value, const U *in, U *out) {
    for (I i = blockIdx.x * I{blockDim.x} + threadIdx.x; i < units; i += I{gridDim.x} * blockDim.x) {
        std::int64_t to = 0, from = 0;
        bool inside = true;
        I rest = i;
        for (int d = frame.ndim - 1; d >= 0; --d) {
            const auto at = static_cast<std::int64_t>(d > 0 ? frame.extents[d].divide(rest) : rest);
            const std::int64_t place = at - frame.before[d];
            inside &= place >= 0 && place < frame.inside[d];
            to += at * frame.step[d];
            from += place * frame.from[d];
        }
        out[to] = inside ? in[from] : value;
    }
}

// One dimension; bytes may be counted instead of elements.
struct Dim {
    std::int64_t extent, inside, before, step, from;
};

struct Dims {
    int ndim = 0;
    std::int64_t count = 1;
    Dim at[MPT_MAX_DIMS];

    explicit Dims(const mpt_mod_operand &x, const mpt_mod_operand &y, const mpt_attrs_pad &attrs) {
        int order[MPT_MAX_DIMS];
        for (int d = 0; d < y.ndim; ++d) order[d] = d;
        std::stable_sort(order, order + y.ndim, [&](int a, int b) { return y.strides[a] > y.strides[b]; });
        for (int i = 0; i < y.ndim; ++i) {
            const int d = order[i];
            count *= y.shape[d];
            if (y.shape[d] == 1 && x.shape[d] == 1 && attrs.before[d] == 0) continue;
            const Dim dim{y.shape[d], x.shape[d], attrs.before[d], y.strides[d], x.strides[d]};
            // A dimension without padding becomes a part of the one around it.
            if (ndim > 0 && dim.extent == dim.inside && dim.before == 0 && at[ndim - 1].step == dim.step * dim.extent &&
                at[ndim - 1].from == dim.from * dim.extent) {
                Dim &outer = at[ndim - 1];
                outer = {outer.extent * dim.extent, outer.inside * dim.extent, outer.before * dim.extent, dim.step, dim.from};
            } else {
                at[ndim++] = dim;
            }
        }
        if (ndim == 0) at[ndim++] = {1, 1, 0, 1, 1};
    }

    // The largest unit that lies wholly inside or outside.
    int unit(int bytes, const void *in, const void *out) const {
        const Dim &row = at[ndim - 1];
        const auto fits = [&](int unit) {
            const auto whole = [&](std::int64_t elements) { return elements * bytes % unit == 0; };
            bool fit = aligned(in, static_cast<std::size_t>(unit)) && aligned(out, static_cast<std::size_t>(unit)) &&
                       row.step == 1 && row.from == 1 && whole(row.extent) && whole(row.inside) && whole(row.before);
            for (int d = 0; d + 1 < ndim; ++d) fit &= whole(at[d].step) && whole(at[d].from);
            return fit;
        };
        for (int unit = kLargestUnit; unit > bytes; unit /= 2)
            if (fits(unit)) return unit;
        return bytes;
    }

    // In units of so many elements.
    Frame frame(int elements) const {
        Frame frame;
        frame.ndim = ndim;
        for (int d = 0; d < ndim; ++d) {
            const bool row = d == ndim - 1;
            const std::int64_t here = row ? elements : 1, around = row ? 1 : elements;
            frame.extents[d] = Divider(static_cast<std::uint32_t>(at[d].extent / here));
            frame.before[d] = at[d].before / here;
            frame.inside[d] = at[d].inside / here;
            frame.step[d] = at[d].step / around;
            frame.from[d] = at[d].from / around;
        }
        return frame;
    }
};

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    const mpt_mod_operand &x = call.in[0], &y = call.out[0];
    const auto &attrs = attrs_of<mpt_attrs_pad>(call);
    if (x.dtype != y.dtype || x.ndim != y.ndim) throw Failure{MPT_ERROR_INTERNAL, "pad: the operands do not fit"};
    const int bytes = static_cast<int>(bytes_of(y.dtype));
    const uint4 value = encoded("pad", y.dtype, attrs.value);
    return kernel_of("cuda:pad", [&device, bytes, value, dims = Dims(x, y, attrs)](const void *const *in, void *const *out, void *,
                                                                                   cudaStream_t stream) {
        const int unit = dims.unit(bytes, in[0], out[0]);
        const std::int64_t units = dims.count / (unit / bytes);
        visit_unit(unit, [&](auto u) {
            using U = decltype(u);
            visit_count(units, [&](auto i) {
                pad<<<blocks_for(device, units, kThreads, 16), kThreads, 0, stream>>>(
                    dims.frame(unit / bytes), static_cast<decltype(i)>(units), part_of<U>(value), static_cast<const U *>(in[0]),
                    static_cast<U *>(out[0]));
            });
        });
        check_launch("pad");
    });
}
const RegisteredKernel registered("pad", prepare);

}  // namespace
}  // namespace mpt::cuda
