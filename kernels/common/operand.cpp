#include "operand.h"

#include <algorithm>
#include <numeric>
#include <string>

namespace mpt::kernels {

std::int64_t numel(const mpt_mod_operand &operand) {
    return std::accumulate(operand.shape, operand.shape + operand.ndim, std::int64_t{1}, std::multiplies<>());
}

mpt_mod_operand expanded(const mpt_mod_operand &x, const mpt_mod_operand &like) {
    mpt_mod_operand out = x;
    if (x.ndim == 0 && like.ndim != 0) {
        out.ndim = like.ndim;
        std::copy_n(like.shape, like.ndim, out.shape);
        std::fill_n(out.strides, like.ndim, 0);
    }
    if (out.ndim != like.ndim || !std::equal(out.shape, out.shape + out.ndim, like.shape))
        throw Failure{MPT_ERROR_INTERNAL, "a kernel was given an operand of another shape"};
    return out;
}

bool is_dense(const mpt_mod_operand &operand) {
    int order[MPT_MAX_DIMS], used = 0;
    for (int d = 0; d < operand.ndim; d++) {
        if (operand.shape[d] == 0) return true;
        if (operand.shape[d] != 1) order[used++] = d;
    }
    std::stable_sort(order, order + used, [&](int a, int b) { return operand.strides[a] < operand.strides[b]; });
    std::int64_t expected = 1;
    for (int i = 0; i < used; i++) {
        if (operand.strides[order[i]] != expected) return false;
        expected *= operand.shape[order[i]];
    }
    return true;
}

bool same_layout(const mpt_mod_operand &a, const mpt_mod_operand &b) {
    if (a.ndim != b.ndim) return false;
    for (int d = 0; d < a.ndim; d++)
        if (a.shape[d] != b.shape[d] || (a.shape[d] > 1 && a.strides[d] != b.strides[d])) return false;
    return true;
}

Loop::Loop(const char *kernel, std::initializer_list<const mpt_mod_operand *> list) {
    const mpt_mod_operand &first = **list.begin();
    const mpt_mod_operand *const *operand = list.begin();
    operands = static_cast<int>(list.size());
    count = numel(first);
    for (const mpt_mod_operand *other : list)
        if (other->ndim != first.ndim || !std::equal(first.shape, first.shape + first.ndim, other->shape))
            throw Failure{MPT_ERROR_INTERNAL, std::string(kernel) + ": operands of different shapes"};

    int order[MPT_MAX_DIMS], used = 0;
    for (int d = 0; d < first.ndim; d++)
        if (first.shape[d] != 1) order[used++] = d;
    const auto before = [&](int a, int b) {
        for (int k = 0; k < operands; k++) {
            const std::int64_t x = std::abs(operand[k]->strides[a]), y = std::abs(operand[k]->strides[b]);
            if (x != y) return x > y;
        }
        return false;
    };
    std::stable_sort(order, order + used, before);

    shape[0] = 1;
    ndim = 0;
    for (int i = 0; i < used; i++) {
        const int d = order[i];
        bool merges = ndim > 0;
        for (int k = 0; merges && k < operands; k++) merges = strides[k][ndim - 1] == operand[k]->strides[d] * first.shape[d];
        if (!merges) shape[ndim++] = 1;
        shape[ndim - 1] *= first.shape[d];
        for (int k = 0; k < operands; k++) strides[k][ndim - 1] = operand[k]->strides[d];
    }
    if (ndim == 0) {  // one element
        ndim = 1;
        std::for_each(strides, strides + operands, [](std::int64_t *s) { s[0] = 1; });
    }
}

void Loop::locate(std::int64_t row, std::int64_t *offset) const {
    std::fill_n(offset, operands, 0);
    for (int d = ndim - 2; d >= 0 && row > 0; d--) {
        const std::int64_t at = row % shape[d];
        row /= shape[d];
        for (int k = 0; k < operands; k++) offset[k] += at * strides[k][d];
    }
}

}  // namespace mpt::kernels
