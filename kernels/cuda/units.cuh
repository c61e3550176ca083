// Moving elements without looking at them: rows that lie densely are moved in units of up to 16 bytes.
#pragma once

#include <array>
#include <cstring>

#include "element.cuh"
#include "index.cuh"

namespace mpt::cuda {

inline constexpr int kLargestUnit = 16;

// The bits of a number in a dtype, as "copy" converts it, repeated over a whole unit.
inline uint4 encoded(const char *kernel, std::int32_t dtype, double value) {
    uint4 unit;
    visit(kernel, dtype, [&](auto format) {
        const auto element = narrow<decltype(format), double>(value);
        for (std::size_t i = 0; i < sizeof unit; i += sizeof element)
            std::memcpy(reinterpret_cast<char *>(&unit) + i, &element, sizeof element);
    });
    return unit;
}

// The largest unit in which the rows of a loop can be moved; bytes: of an element. data: where the first operands lie; the loop's
// others must stay the same along a row. step: a number of elements that offsets are multiples of, besides the strides.
template <std::size_t N>
int unit_of(const Loop &loop, int bytes, const std::array<const void *, N> &data, std::int64_t step = 0) {
    const auto fits = [&](int unit) {
        const auto whole = [&](std::int64_t elements) { return elements * bytes % unit == 0; };
        bool fit = whole(loop.inner()) && whole(step);
        for (int k = 0; k < loop.operands; ++k) {
            const bool moved = k < static_cast<int>(N);
            fit &= loop.inner_stride(k) == (moved ? 1 : 0) &&
                   (!moved || aligned(data[static_cast<std::size_t>(k)], static_cast<std::size_t>(unit)));
            for (int d = 0; moved && d + 1 < loop.ndim; ++d) fit &= whole(loop.strides[k][d]);
        }
        return fit;
    };
    for (int unit = kLargestUnit; unit > bytes; unit /= 2)
        if (fits(unit)) return unit;
    return bytes;
}

// The loop over units of this many elements; moved: the operands whose offsets become offsets of units.
inline Loop in_units(Loop loop, int elements, int moved) {
    loop.shape[loop.ndim - 1] /= elements;
    loop.count /= elements;
    for (int k = 0; k < moved; ++k)
        for (int d = 0; d + 1 < loop.ndim; ++d) loop.strides[k][d] /= elements;
    return loop;
}

// An operand of x's shape whose offsets are the places in logical order.
inline mpt_mod_operand row_major(mpt_mod_operand x) {
    std::int64_t stride = 1;
    for (int d = x.ndim - 1; d >= 0; --d) {
        x.strides[d] = stride;
        stride *= x.shape[d];
    }
    return x;
}

// f(Unit{}).
template <class F>
void visit_unit(int unit, F &&f) {
    switch (unit) {
        case 1:
            return f(std::uint8_t{});
        case 2:
            return f(std::uint16_t{});
        case 4:
            return f(std::uint32_t{});
        case 8:
            return f(uint2{});
        default:
            return f(uint4{});
    }
}

// f(I{}) with the type that counts so many elements.
template <class F>
void visit_count(std::int64_t count, F &&f) {
    if (small(count)) return f(std::uint32_t{});
    f(std::uint64_t{});
}

// The beginning of a whole unit.
template <class U>
U part_of(const uint4 &whole) {
    U part;
    std::memcpy(&part, &whole, sizeof part);
    return part;
}

}  // namespace mpt::cuda
