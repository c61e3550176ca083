// Operands [N, C, ...] of one shape and any strides as items x rows x channels: an item is the batch, or one image; its rows are
// all other dimensions, merged where the memory allows it. The rows are cut into chunks whose size depends on shapes and strides
// alone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "operand.h"
#include "rows.h"

namespace mpt::cpu {

struct ChannelTask {
    std::int64_t item, chunk;
    std::int64_t channel, n;  // channels [channel, channel + n)
};

struct ChannelSpace {
    static constexpr int kOperands = 3;
    static constexpr std::int64_t kLanes = 64;   // sums that one channel is added up in when its elements are a run
    static constexpr std::int64_t kWidth = 512;  // channels of a task

    // The first operand decides the order of dimensions.
    ChannelSpace(const char *kernel, bool per_image, std::initializer_list<const mpt_mod_operand *> list);

    struct Dim {
        std::int64_t extent;
        std::int64_t stride[kOperands];
    };
    std::int64_t items, rows, channels;
    bool columns;  // channels lie innermost: a task has many of them. Else one, whose elements are runs
    std::int64_t item_stride[kOperands], channel_stride[kOperands];
    std::vector<Dim> dims;  // of the rows, outermost first; at least one
    std::int64_t chunk = 1, chunks = 0;
    std::int64_t width = 1, across = 0;  // channels of a task, and tasks beside each other

    std::int64_t tasks() const { return items * chunks * across; }
    std::int64_t task_size() const { return chunk * width; }
    std::int64_t rows_of(std::int64_t chunk_index) const { return std::min(chunk, rows - chunk_index * chunk); }
    ChannelTask task(std::int64_t index) const {
        const std::int64_t channel = index % across * width;
        return {index / across / chunks, index / across % chunks, channel, std::min(width, channels - channel)};
    }

    // f(offset[], count, stride[]) for the runs of equally spaced rows of a chunk; offsets are those of channel 0.
    template <class F>
    void each_run(std::int64_t item, std::int64_t chunk_index, F &&f) const {
        const Dim &inner = dims.back();
        const std::int64_t end = chunk_index * chunk + rows_of(chunk_index);
        for (std::int64_t row = chunk_index * chunk; row < end;) {
            const std::int64_t at = row % inner.extent, count = std::min(end - row, inner.extent - at);
            std::int64_t offset[kOperands];
            for (int k = 0; k < kOperands; ++k) offset[k] = item * item_stride[k] + at * inner.stride[k];
            std::int64_t rest = row / inner.extent;
            for (std::size_t d = dims.size() - 1; d-- > 0 && rest > 0; rest /= dims[d].extent)
                for (int k = 0; k < kOperands; ++k) offset[k] += rest % dims[d].extent * dims[d].stride[k];
            f(offset, count, inner.stride);
            row += count;
        }
    }
};

// The elements of tasks as values of C, in rows beside each other; those that lie so in memory are used where they are.
template <class C>
class ChannelTiles {
public:
    ChannelTiles(const char *kernel, bool per_image, std::initializer_list<const mpt_mod_operand *> list)
        : space_(kernel, per_image, list) {
        int k = 0;
        for (const mpt_mod_operand *x : list) {
            load_[k] = loader<C>(x->dtype);
            store_[k] = storer<C>(x->dtype);
            if (!load_[k] || !is_float(x->dtype)) unsupported_dtype(kernel, x->dtype);
            bytes_[k] = static_cast<std::int64_t>(bytes_of(x->dtype));
            direct_[k] =
                x->dtype == dtype_of<C>() && (space_.columns ? space_.channel_stride[k] : space_.dims.back().stride[k]) == 1;
            ++k;
        }
    }

    const ChannelSpace &space() const { return space_; }

    // f(x[], ld[], y, ldy, rows, n): inputs are the operands 0 .. In - 1, the output, if any, operand In. With columns, n channels;
    // else n <= kLanes neighbours of one channel.
    template <int In, bool Out, class F>
    void visit(const std::array<const void *, In> &in, void *out, const ChannelTask &t, F &&f) const {
        static_assert(In + Out <= ChannelSpace::kOperands);
        alignas(64) C buffer[In + Out][kBuffer];
        bool all_direct = true;
        for (int k = 0; k < In + Out; ++k) all_direct &= direct_[k];
        space_.each_run(t.item, t.chunk, [&](const std::int64_t *offset, std::int64_t count, const std::int64_t *step) {
            const std::int64_t most = all_direct ? count : space_.columns ? kBuffer / t.n : kBuffer;
            for (std::int64_t i = 0; i < count; i += most) {
                const std::int64_t length = std::min(most, count - i);
                const C *x[In + 1];
                std::int64_t ld[In + 1];
                for (int k = 0; k < In + Out; ++k) {
                    const std::byte *base = static_cast<const std::byte *>(k < In ? in[static_cast<std::size_t>(k)] : out);
                    const std::byte *at = base + (offset[k] + t.channel * space_.channel_stride[k] + i * step[k]) * bytes_[k];
                    x[k] = direct_[k] ? reinterpret_cast<const C *>(at) : buffer[k];
                    ld[k] = !space_.columns ? ChannelSpace::kLanes : direct_[k] ? step[k] : t.n;
                    if (direct_[k] || k == In) continue;
                    if (space_.columns)
                        load_[k](at, length, step[k], t.n, space_.channel_stride[k], buffer[k]);
                    else
                        load_[k](at, 1, length, length, step[k], buffer[k]);
                }
                C *y = Out ? const_cast<C *>(x[In]) : nullptr;
                const std::int64_t ldy = Out ? ld[In] : 0;
                if (space_.columns) {
                    f(x, ld, y, ldy, length, t.n);
                } else {
                    const std::int64_t whole = length / ChannelSpace::kLanes, done = whole * ChannelSpace::kLanes;
                    if (whole > 0) f(x, ld, y, ldy, whole, ChannelSpace::kLanes);
                    for (int k = 0; k < In; ++k) x[k] += done;
                    if (done < length) f(x, ld, Out ? y + done : nullptr, ldy, std::int64_t{1}, length - done);
                }
                if constexpr (Out)
                    if (!direct_[In]) {
                        std::byte *at = static_cast<std::byte *>(out) +
                                        (offset[In] + t.channel * space_.channel_stride[In] + i * step[In]) * bytes_[In];
                        if (space_.columns)
                            store_[In](buffer[In], at, length, step[In], t.n, space_.channel_stride[In]);
                        else
                            store_[In](buffer[In], at, 1, length, length, step[In]);
                    }
            }
        });
    }

    // Values per item and channel as a task's functions read them: an element for each of its n.
    const C *spread(const C *values, const ChannelTask &t, C *lanes) const {
        const C *at = values + t.item * space_.channels + t.channel;
        if (space_.columns) return at;
        std::fill_n(lanes, ChannelSpace::kLanes, *at);
        return lanes;
    }

    // The sums of a task's n channels, from what its functions added up.
    void fold(C *sums) const {
        if (space_.columns) return;
        for (std::int64_t half = ChannelSpace::kLanes / 2; half > 0; half /= 2)
            for (std::int64_t i = 0; i < half; ++i) sums[i] += sums[i + half];
    }

private:
    static constexpr std::int64_t kBuffer = 2048;
    static_assert(kBuffer >= ChannelSpace::kWidth);

    ChannelSpace space_;
    Load<C> load_[ChannelSpace::kOperands] = {};
    Store<C> store_[ChannelSpace::kOperands] = {};
    std::int64_t bytes_[ChannelSpace::kOperands] = {};
    bool direct_[ChannelSpace::kOperands] = {};
};

}  // namespace mpt::cpu
