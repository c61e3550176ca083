// What the kernels of cross entropy share: those of the loss, of its gradient, and of both at once, whose bits are the same.
#pragma once

#include "class_rows.cuh"
#include "softmax_rows.cuh"

namespace mpt::cuda {

// What the scores of a row are weighted with where not one class alone is right: smoothed indices, or probabilities.
struct Distribution {
    explicit Distribution(const mpt_mod_call &call, const ClassRows &rows) {
        const double smoothing = attrs_of<mpt_attrs_cross_entropy>(call).smoothing;
        keep = static_cast<float>(1 - smoothing);
        even = static_cast<float>(smoothing / static_cast<double>(rows.classes));
        one_class = !rows.probabilities && keep == 1 && even == 0;
    }
    __device__ __forceinline__ float operator()(const ClassRows &rows, std::int64_t row, std::int64_t target, float peak,
                                                std::int64_t c) const {
        const float weight = rows.weight.read(c, 1);
        if (rows.probabilities) return weight * (keep * rows.probability(row, c) + even);
        return even * weight + (c == target ? peak : 0);
    }

    float keep, even;  // 1 - s and s / C
    bool one_class;    // the index's alone
};

// Where rows are kept: whether one leaves no room for a second block.
inline bool alone(const ClassRows &rows, std::size_t element_bytes) {
    constexpr std::size_t kHalf = std::size_t{110} << 10;
    return static_cast<std::size_t>(rows.classes) * element_bytes > kHalf;
}
// The threads that take a row. Few classes are for parts of warps, which must have a thread for each element in front of a pack;
// and few rows of them for one block, which needs no other to add up what blocks have.
inline Team team_of_rows(const Device &device, const ClassRows &rows, std::size_t element_bytes) {
    constexpr unsigned kPart = 8, kFewRows = 128;
    if (rows.classes <= 8 * kPart) return {kPart, rows.rows <= kFewRows ? kFewRows : 32, 0};
    Team team = team_that_streams(device, rows.rows, rows.classes);
    if (team.y == 1 && alone(rows, element_bytes)) team.x = 1024;
    return team;
}

struct RowLoss {
    float value = 0, counts = 0, log_sum_exp = 0;
};
// By a team. see(number, pack): the row's packs, unless it does not count.
template <class T, int V, bool OneClass, class See>
__device__ __forceinline__ RowLoss row_loss(const ClassRows &rows, const Distribution &distribution, std::int64_t r,
                                            std::int64_t target, const typename T::Stored *row, float *scratch, See &&see) {
    RowLoss of;
    if (target == ClassRows::kIgnored) return of;
    Exponentials<T> e;
    e.template add_row<T, V>(row, rows.class_stride, rows.classes, scratch, see);
    const float log_sum = logf(e.sum);
    of.log_sum_exp = e.largest + log_sum;
    of.counts = rows.probabilities || target < 0 ? 1 : rows.weight.read(target, 1);
    if (target == ClassRows::kOutside) {
        of.value = std::numeric_limits<float>::quiet_NaN();
    } else if (OneClass) {
        of.value = of.counts * (log_sum - (widen<T>(row[target * rows.class_stride]) - e.largest));
    } else {
        RowParts<T, V>(row, rows.classes).each(row, rows.class_stride, [&](std::int64_t c, float e_c) {
            of.value += distribution(rows, r, target, distribution.keep * of.counts, c) * (log_sum - (e_c - e.largest));
        });
        of.value = team_reduce(of.value, Add(), 0.0f, scratch);
    }
    return of;
}

template <class T, bool OneClass>
struct RowGradient {
    // By a team.
    __device__ __forceinline__ RowGradient(const ClassRows &rows, const Distribution &distribution, std::int64_t r,
                                           std::int64_t target, float log_sum_exp, float scale, float *scratch)
        : rows(rows), distribution(distribution), r(r), target(target), log_sum_exp(log_sum_exp), scale(scale) {
        const float weight = rows.probabilities || target < 0 ? 1 : rows.weight.read(target, 1);
        peak = distribution.keep * weight;
        if (OneClass) {
            this->scale *= weight;
        } else if (!rows.probabilities && rows.weight.dtype == MPT_DTYPE_NONE) {
            total = peak + distribution.even * static_cast<float>(rows.classes);
        } else if (target >= 0) {
            total = 0;
            for (std::int64_t c = threadIdx.x; c < rows.classes; c += blockDim.x) total += distribution(rows, r, target, peak, c);
            total = team_reduce(total, Add(), 0.0f, scratch);
        }
    }
    // Of the scores of some classes from c on, in place.
    template <int N>
    __device__ __forceinline__ void operator()(std::int64_t c, float (&e)[N]) const {
        const std::int64_t to_target = target - c;
        const int at = to_target >= 0 && to_target < N ? static_cast<int>(to_target) : -1;
#pragma unroll
        for (int v = 0; v < N; ++v) {
            const float q = OneClass ? (v == at ? 1.0f : 0.0f) : distribution(rows, r, target, peak, c + v);
            e[v] = target < 0 ? 0 : (exponential<T>(e[v] - log_sum_exp) * total - q) * scale;
        }
    }

    const ClassRows &rows;
    const Distribution &distribution;
    std::int64_t r, target;
    float log_sum_exp, scale, peak, total = 1;
};

}  // namespace mpt::cuda
