#include "channel_space.h"

#include <algorithm>
#include <cstdlib>
#include <string>

namespace mpt::cpu {

ChannelSpace::ChannelSpace(const char *kernel, bool per_image, std::initializer_list<const mpt_mod_operand *> list) {
    const mpt_mod_operand &x = **list.begin();
    const mpt_mod_operand *const *operand = list.begin();
    const int operands = static_cast<int>(list.size());
    for (const mpt_mod_operand *other : list)
        if (other->ndim != x.ndim || x.ndim < 2 || !std::equal(x.shape, x.shape + x.ndim, other->shape))
            throw Failure{MPT_ERROR_INTERNAL, std::string(kernel) + ": operands of different shapes"};
    items = per_image ? x.shape[0] : 1;
    channels = x.shape[1];
    for (int k = 0; k < kOperands; ++k) {
        item_stride[k] = k < operands && per_image ? operand[k]->strides[0] : 0;
        channel_stride[k] = k < operands ? operand[k]->strides[1] : 0;
    }

    rows = 1;
    for (int d = per_image ? 2 : 0; d < x.ndim; ++d) {
        if (d == 1) continue;
        rows *= x.shape[d];
        if (x.shape[d] == 1) continue;
        Dim dim{x.shape[d], {}};
        for (int k = 0; k < operands; ++k) dim.stride[k] = operand[k]->strides[d];
        dims.push_back(dim);
    }
    std::stable_sort(dims.begin(), dims.end(),
                     [](const Dim &a, const Dim &b) { return std::abs(a.stride[0]) > std::abs(b.stride[0]); });
    std::vector<Dim> merged;
    for (const Dim &d : dims) {
        bool merges = !merged.empty();
        for (int k = 0; merges && k < operands; ++k) merges = merged.back().stride[k] == d.stride[k] * d.extent;
        if (!merges) {
            merged.push_back(d);
            continue;
        }
        merged.back().extent *= d.extent;
        std::copy_n(d.stride, kOperands, merged.back().stride);
    }
    if (merged.empty()) merged.push_back({1, {}});
    dims = std::move(merged);

    columns = channels > 1 && (dims.back().extent == 1 || std::abs(channel_stride[0]) < std::abs(dims.back().stride[0]));
    // Chunks keep sums in f32 short; wide ones have fewer rows, so that a task stays in the cache.
    width = columns ? std::clamp<std::int64_t>(channels, 1, kWidth) : 1;
    chunk = columns ? std::clamp<std::int64_t>(32768 / width, 16, 128) : 128 * kLanes;
    across = (channels + width - 1) / width;
    chunks = (rows + chunk - 1) / chunk;
}

}  // namespace mpt::cpu
