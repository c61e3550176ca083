// Repetition: an extent of its own for the repeats in front of each repeated dimension, by a stride of 0, and a copy of that.
#include "ops/checks.h"
#include "ops/ops.h"
#include "ops/shape.h"

namespace mpt {

Ref<Tensor> ops::tile(const Ref<Tensor> &x, const Dims &repeats) {
    refuse_fp8(*x, "x");
    Dims shape, result;  // x's, with leading ones
    for (int i = 0; i < repeats.n; ++i) {
        const int from = i - (repeats.n - x->shape.n);
        shape.push(from < 0 ? 1 : x->shape[from]);
        std::int64_t extent = 0;
        if (__builtin_mul_overflow(shape[i], repeats[i], &extent))
            fail(MPT_ERROR_SHAPE, "argument 'repeats' is ", repeats, ": dimension ", i, " of ", shape,
                 " would be longer than 2^63");
        result.push(extent);
    }
    checked_bytes(result, x->dtype);
    Ref<Tensor> y = reshape(x, shape);
    constexpr int kRound = 3;  // repeated dimensions that one copy has room for, with what lies between them merged
    for (int next = 0; next < repeats.n;) {
        Dims apart, spread, joined = y->shape;
        std::int64_t run = 1;
        int repeated = 0, last = repeats.n;
        for (int i = 0; i < repeats.n; ++i) {
            if (i >= next && repeats[i] != 1 && repeated < kRound) {
                apart.push(run);
                apart.push(1);
                spread.push(run);
                spread.push(repeats[i]);
                joined[i] = result[i];
                run = 1;
                if (++repeated == kRound) last = i + 1;
            }
            run *= y->shape[i];
        }
        next = last;
        if (repeated == 0) break;
        apart.push(run);
        spread.push(run);
        y = reshape(expand(reshape(y, apart), spread), joined);
    }
    return y->storage == x->storage ? clone(y) : contiguous(y);
}

}  // namespace mpt
