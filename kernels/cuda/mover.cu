#include "mover.cuh"
#include "units.cuh"

namespace mpt::cuda {
namespace {

template <class U, class I>
__global__ void move(Index<2> index, I units, const U *in, U *out) {
    for (I i = blockIdx.x * I{blockDim.x} + threadIdx.x; i < units; i += I{gridDim.x} * blockDim.x) {
        std::int64_t at[2];
        index.locate(i, at);
        out[at[0]] = in[at[1]];
    }
}

// One dense row of any number of bytes.
template <class I>
__global__ void move_row(I units, unsigned rest, const uint4 *in, uint4 *out) {
    const I first = blockIdx.x * I{blockDim.x} + threadIdx.x;
    for (I i = first; i < units; i += I{gridDim.x} * blockDim.x) out[i] = in[i];
    if (first < rest)
        reinterpret_cast<std::uint8_t *>(out + units)[first] = reinterpret_cast<const std::uint8_t *>(in + units)[first];
}

template <class U>
struct Bits {
    using Stored = U;
    static constexpr std::int32_t dtype = MPT_DTYPE_NONE;
};

}  // namespace

Mover::Mover(const Device &device, const char *name, const mpt_mod_operand &to, const mpt_mod_operand &from)
    : device_(&device),
      name_(name),
      loop_(name, {&to, &from}),
      tiles_(TilePlan::of(loop_)),
      bytes_(static_cast<int>(bytes_of(to.dtype))) {}

void Mover::run(const void *in, void *out, cudaStream_t stream) const {
    if (loop_.count == 0) return;
    if (tiles_) {
        const auto tiled = [&](auto u) {
            run_tiles<decltype(u), Bits<decltype(u)>, Bits<decltype(u)>>(*device_, *tiles_, in, out, stream);
        };
        if (bytes_ == 1) tiled(std::uint8_t{});
        if (bytes_ == 2) tiled(std::uint16_t{});
        if (bytes_ == 4) tiled(std::uint32_t{});
        if (bytes_ == 8) tiled(std::uint64_t{});
    } else if (loop_.ndim == 1 && loop_.inner_stride(0) == 1 && loop_.inner_stride(1) == 1 && aligned(in, kLargestUnit) &&
               aligned(out, kLargestUnit)) {
        const std::int64_t units = loop_.count * bytes_ / kLargestUnit, rest = loop_.count * bytes_ % kLargestUnit;
        visit_count(units, [&](auto i) {
            move_row<<<blocks_for(*device_, units, kThreads, 32), kThreads, 0, stream>>>(
                static_cast<decltype(i)>(units), static_cast<unsigned>(rest), static_cast<const uint4 *>(in),
                static_cast<uint4 *>(out));
        });
    } else {
        const int unit = unit_of<2>(loop_, bytes_, {out, in});
        const Loop units = in_units(loop_, unit / bytes_, 2);
        const unsigned blocks = blocks_for(*device_, units.count, kThreads, 32);
        visit_unit(unit, [&](auto u) {
            using U = decltype(u);
            visit_count(units.count, [&](auto i) {
                move<<<blocks, kThreads, 0, stream>>>(Index<2>(units), static_cast<decltype(i)>(units.count),
                                                      static_cast<const U *>(in), static_cast<U *>(out));
            });
        });
    }
    check_launch(name_);
}

}  // namespace mpt::cuda
