// What channel_norm and channel_norm_grad share: sums per chunk and channel, and how they become sums per item and channel.
#pragma once

#include <algorithm>
#include <cstdint>

#include "channel_space.h"
#include "device/attrs/norm.h"
#include "isa.h"
#include "sums.h"

namespace mpt::cpu {

// An optional vector [C] of any floating dtype and stride.
class ChannelVector {
public:
    ChannelVector() = default;
    ChannelVector(const char *kernel, const mpt_mod_operand &x, std::int64_t channels) {
        if (x.dtype == MPT_DTYPE_NONE) return;
        if (x.ndim != 1 || x.shape[0] != channels)
            throw Failure{MPT_ERROR_INTERNAL, std::string(kernel) + ": a vector of another shape"};
        load_ = loader<double>(x.dtype);
        if (!load_ || !is_float(x.dtype)) unsupported_dtype(kernel, x.dtype);
        stride_ = x.strides[0];
    }
    bool present() const { return load_ != nullptr; }
    std::int64_t stride() const { return stride_; }
    // All of it, or n times absent.
    void read(const void *from, std::int64_t n, double absent, double *to) const {
        if (present())
            load_(from, 1, n, n, stride_, to);
        else
            std::fill_n(to, n, absent);
    }

private:
    Load<double> load_ = nullptr;
    std::int64_t stride_ = 0;
};

// Two sums per chunk and channel: [item][chunk][2][channel].
template <class C>
struct ChannelSums {
    ChannelSums(const ChannelSpace &s, C *memory) : space(s), values(memory) {}
    const ChannelSpace &space;
    C *values;

    static std::int64_t size(const ChannelSpace &s) { return s.items * s.chunks * 2 * s.channels; }
    C *at(std::int64_t item, std::int64_t chunk, int which, std::int64_t channel) const {
        return values + ((item * space.chunks + chunk) * 2 + which) * space.channels + channel;
    }
};

inline constexpr std::int64_t kStrip = 16;  // rows that are summed together: few enough that memory is read in its order

inline constexpr std::int64_t kCombined = 16;  // channels that are combined together

// f(item, channel, n) for pieces of at most kCombined channels, by several threads.
template <class F>
void each_combined(Pool &pool, const ChannelSpace &s, F &&f) {
    const std::int64_t across = (s.channels + kCombined - 1) / kCombined,
                       size = std::max<std::int64_t>(2 * s.chunks * kCombined, 1);
    pool.for_range(s.items * across, (kGrain + size - 1) / size, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            const std::int64_t channel = i % across * kCombined;
            f(i / across, channel, std::min(kCombined, s.channels - channel));
        }
    });
}

// f(item, group) for all of them, by several threads.
template <class F>
void each_group(Pool &pool, std::int64_t items, std::int64_t groups, std::int64_t size, F &&f) {
    pool.for_range(items * groups, kGrain / std::max<std::int64_t>(size, 1) + 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) f(i / groups, i % groups);
    });
}

inline std::int64_t aligned(std::int64_t bytes) {
    return (bytes + MPT_MOD_ALIGNMENT - 1) / MPT_MOD_ALIGNMENT * MPT_MOD_ALIGNMENT;
}

}  // namespace mpt::cpu
