#include "core/shape.h"

#include <algorithm>
#include <ostream>

namespace mpt {

std::ostream &operator<<(std::ostream &out, const Dims &dims) {
    out << '[';
    for (int i = 0; i < dims.n; ++i) out << (i ? ", " : "") << dims[i];
    return out << ']';
}

std::int64_t numel(const Dims &shape) {
    std::int64_t count = 1;
    for (int i = 0; i < shape.n; ++i) count *= shape[i];
    return count;
}

Dims contiguous(const Dims &shape) {
    Dims strides;
    strides.n = shape.n;
    std::int64_t step = 1;
    for (int i = shape.n - 1; i >= 0; --i) {
        strides[i] = step;
        step *= std::max<std::int64_t>(shape[i], 1);
    }
    return strides;
}

Dims channels_last(const Dims &shape) {
    const std::int64_t c = std::max<std::int64_t>(shape[1], 1), h = std::max<std::int64_t>(shape[2], 1),
                       w = std::max<std::int64_t>(shape[3], 1);
    return Dims{h * w * c, 1, w * c, c};
}

bool is_contiguous(const Dims &shape, const Dims &strides) {
    std::int64_t step = 1;
    for (int i = shape.n - 1; i >= 0; --i) {
        if (shape[i] == 0) return true;
        if (shape[i] == 1) continue;
        if (strides[i] != step) return false;
        step *= shape[i];
    }
    return true;
}

namespace {
// Dimensions from the outermost in memory to the innermost; equal strides keep their order.
void memory_order(const Dims &strides, int order[MPT_MAX_DIMS]) {
    for (int i = 0; i < strides.n; ++i) order[i] = i;
    std::stable_sort(order, order + strides.n, [&](int a, int b) { return strides[a] > strides[b]; });
}
}  // namespace

bool is_dense(const Dims &shape, const Dims &strides) {
    int order[MPT_MAX_DIMS];
    memory_order(strides, order);
    std::int64_t step = 1;
    for (int i = shape.n - 1; i >= 0; --i) {
        const int d = order[i];
        if (shape[d] == 0) return true;
        if (shape[d] == 1) continue;
        if (strides[d] != step) return false;
        step *= shape[d];
    }
    return true;
}

std::int64_t span(const Dims &shape, const Dims &strides) {
    std::int64_t last = 0;
    for (int i = 0; i < shape.n; ++i) {
        if (shape[i] == 0) return 0;
        last += (shape[i] - 1) * strides[i];
    }
    return last + 1;
}

Dims dense_like(const Dims &shape, const Dims &like) {
    int order[MPT_MAX_DIMS];
    memory_order(like, order);
    Dims strides;
    strides.n = shape.n;
    std::int64_t step = 1;
    for (int i = shape.n - 1; i >= 0; --i) {
        strides[order[i]] = step;
        step *= std::max<std::int64_t>(shape[order[i]], 1);
    }
    return strides;
}

bool broadcast(const Dims &a, const Dims &b, Dims &out) {
    Dims result;
    result.n = std::max(a.n, b.n);
    for (int i = 0; i < result.n; ++i) {
        const int ia = i - (result.n - a.n), ib = i - (result.n - b.n);
        const std::int64_t xa = ia < 0 ? 1 : a[ia], xb = ib < 0 ? 1 : b[ib];
        if (xa != xb && xa != 1 && xb != 1) return false;
        result[i] = xa == 1 ? xb : xa;
    }
    out = result;
    return true;
}

Dims broadcast_strides(const Dims &shape, const Dims &strides, const Dims &to) {
    Dims result;
    result.n = to.n;
    for (int i = 0; i < to.n; ++i) {
        const int j = i - (to.n - shape.n);
        result[i] = j < 0 || (shape[j] == 1 && to[i] != 1) ? 0 : strides[j];
    }
    return result;
}

bool reshape_strides(const Dims &shape, const Dims &strides, const Dims &to, Dims &out) {
    if (numel(shape) == 0 || is_contiguous(shape, strides)) {
        out = contiguous(to);
        return true;
    }
    // Runs of old dimensions that lie one in the other are split among the new ones.
    Dims old_shape, old_strides;
    for (int i = 0; i < shape.n; ++i)
        if (shape[i] != 1) old_shape.push(shape[i]), old_strides.push(strides[i]);
    Dims result;
    result.n = to.n;
    int o = 0, t = 0;
    while (o < old_shape.n && t < to.n) {
        std::int64_t have = old_shape[o], want = to[t];
        int o_end = o + 1, t_end = t + 1;
        while (have != want) {
            if (have < want) {
                if (o_end >= old_shape.n) return false;
                if (old_strides[o_end - 1] != old_strides[o_end] * old_shape[o_end]) return false;
                have *= old_shape[o_end++];
            } else {
                if (t_end >= to.n) return false;
                want *= to[t_end++];
            }
        }
        std::int64_t step = old_strides[o_end - 1];
        for (int i = t_end - 1; i >= t; --i) {
            result[i] = step;
            step *= to[i];
        }
        o = o_end;
        t = t_end;
    }
    for (; t < to.n; ++t) result[t] = 1;
    out = result;
    return true;
}

}  // namespace mpt
