#include "conv_copies.h"
#include "element.cuh"
#include "index.cuh"

namespace mpt::cuda {
namespace {

constexpr int kMostTaps = 1024;
constexpr std::size_t kTileBytes = 40960;  // of a block, in shared memory

struct Layout {
    std::int64_t row, channel, down, across;  // the filter's strides
    std::int32_t channels, last_channels, taps, taps_across;
    std::int32_t chunk;  // channels of a block
};

// A block copies a chunk of one row of the filter, on either side in the order of the addresses there, Width elements at a time.
// With more than one the filter's row is dense, and the copy has no more channels.
template <class T, bool ToLast, int Width>
__global__ void __launch_bounds__(kThreads) conv_filter_layout(const __grid_constant__ Layout at, T *filter, T *last) {
    extern __shared__ __align__(16) char shared[];
    T *tile = reinterpret_cast<T *>(shared);  // [channel][tap]
    using Elements = Pack<T, Width>;
    const int channel0 = static_cast<int>(blockIdx.y) * at.chunk, channels = min(at.chunk, at.last_channels - channel0);
    const int count = at.taps * channels;
    T *row = filter + blockIdx.x * at.row + channel0 * at.channel;
    T *last_row = last + static_cast<std::int64_t>(blockIdx.x) * at.taps * at.last_channels + channel0;
    const auto on_filter = [&] {
        for (int i = static_cast<int>(threadIdx.x) * Width; i < count; i += kThreads * Width) {
            const int channel = i / at.taps, tap = i % at.taps;
            T *place = Width > 1 ? row + i
                                 : row + channel * at.channel + tap / at.taps_across * at.down + tap % at.taps_across * at.across;
            const bool there = channel0 + channel < at.channels;
            auto *in_tile = reinterpret_cast<Elements *>(tile + i);
            if (ToLast)
                *in_tile = there ? *reinterpret_cast<const Elements *>(place) : Elements{};
            else if (there)
                *reinterpret_cast<Elements *>(place) = *in_tile;
        }
    };
    const auto on_last = [&] {
        for (int i = static_cast<int>(threadIdx.x) * Width; i < count; i += kThreads * Width) {
            const int tap = i / channels, channel = i % channels;
            auto *place = reinterpret_cast<Elements *>(last_row + std::int64_t{tap} * at.last_channels + channel);
            Elements elements;
            if (!ToLast) elements = *place;
#pragma unroll
            for (int v = 0; v < Width; ++v) {
                T &in_tile = tile[(channel + v) * at.taps + tap];
                if (ToLast)
                    elements.at[v] = in_tile;
                else
                    in_tile = elements.at[v];
            }
            if (ToLast) *place = elements;
        }
    };
    if (ToLast) {
        on_filter();
        __syncthreads();
        on_last();
    } else {
        on_last();
        __syncthreads();
        on_filter();
    }
}

template <bool ToLast>
void copy(const ConvFilter &of, void *filter, void *last, cudaStream_t stream) {
    const mpt_mod_operand &w = of.filter;
    Layout at{w.strides[0],
              w.strides[1],
              w.strides[2],
              w.strides[3],
              static_cast<std::int32_t>(w.shape[1]),
              static_cast<std::int32_t>(of.last.shape[1]),
              static_cast<std::int32_t>(w.shape[2] * w.shape[3]),
              static_cast<std::int32_t>(w.shape[3]),
              0};
    const auto launch = [&](auto element) {
        using T = decltype(element);
        constexpr int kWidth = 16 / sizeof(T);
        const auto most = static_cast<std::int32_t>(kTileBytes / sizeof(T) / static_cast<std::size_t>(at.taps));
        at.chunk = std::min(at.last_channels, most / kWidth * kWidth);
        const bool dense = at.channel == at.taps && (at.taps_across == at.taps || at.down == at.taps_across) &&
                           (at.taps_across == 1 || at.across == 1) && at.row % kWidth == 0;
        const bool wide = dense && at.channels == at.last_channels && at.channels % kWidth == 0 && aligned(filter, 16);
        const dim3 grid(static_cast<unsigned>(w.shape[0]), static_cast<unsigned>((at.last_channels + at.chunk - 1) / at.chunk));
        const std::size_t bytes = sizeof(T) * static_cast<std::size_t>(at.chunk) * static_cast<std::size_t>(at.taps);
        const auto kernel = wide ? conv_filter_layout<T, ToLast, kWidth> : conv_filter_layout<T, ToLast, 1>;
        kernel<<<grid, kThreads, bytes, stream>>>(at, static_cast<T *>(filter), static_cast<T *>(last));
    };
    w.dtype == MPT_F32 ? launch(std::uint32_t{}) : launch(std::uint16_t{});
    check_launch("conv2d");
}

}  // namespace

ConvFilter::ConvFilter(const mpt_mod_operand &w, std::int64_t channels) : filter(w), last(w) {
    last.shape[1] = channels;
    last.strides[1] = 1;
    last.strides[3] = channels;
    last.strides[2] = last.strides[3] * last.shape[3];
    last.strides[0] = last.strides[2] * last.shape[2];
}

bool ConvFilter::differs() const {
    bool same = filter.shape[1] == last.shape[1];
    for (int d = 0; d < 4; ++d) same &= filter.shape[d] == 1 || filter.strides[d] == last.strides[d];
    return !same;
}

bool ConvFilter::can(const mpt_mod_operand &w) {
    return (w.dtype == MPT_F32 || w.dtype == MPT_F16 || w.dtype == MPT_BF16) && w.shape[2] <= kMostTaps &&
           w.shape[3] <= kMostTaps && w.shape[2] * w.shape[3] <= kMostTaps && w.shape[0] <= INT32_MAX && w.shape[1] <= 65535;
}

std::size_t ConvFilter::bytes() const {
    return static_cast<std::size_t>(numel(last)) * (last.dtype == MPT_F32 ? 4 : 2);
}

void ConvFilter::to_last(const void *filter_at, void *last_at, cudaStream_t stream) const {
    copy<true>(*this, const_cast<void *>(filter_at), last_at, stream);
}
void ConvFilter::from_last(const void *last_at, void *filter_at, cudaStream_t stream) const {
    copy<false>(*this, filter_at, const_cast<void *>(last_at), stream);
}

}  // namespace mpt::cuda
