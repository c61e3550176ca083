// "sort" of device/attrs/. An element becomes a key whose order as an unsigned integer is the one asked for. Lines that fit are
// sorted in shared memory, a few or one in a block; of longer ones, if few elements are asked for, blocks keep the first of each
// part until they fit; the others are sorted together by radix, the line being the upper part of the key.
#include <bit>
#include <vector>

#include "any_float.cuh"
#include "device/attrs/sort.h"
#include "radix.cuh"
#include "rows.cuh"

namespace mpt::cuda {
namespace {

using Item = unsigned long long;  // the key, below it the place: all are different, which makes the order stable

constexpr unsigned kFits = 12, kPart = 11;              // log2 of the elements that a block sorts: of a line, of a part
constexpr std::int64_t kFew = 256;                      // asked for of a line that is sorted in parts
constexpr std::int64_t kBatch = std::int64_t{1} << 24;  // elements of lines that are sorted by radix at once

// Ascending with NaN, whatever its sign and bits, behind all others and -0 as 0.
template <class T>
__device__ __forceinline__ std::uint32_t key_of(typename T::Stored x, std::uint32_t flip) {
    constexpr int kBits = 8 * sizeof x;
    constexpr std::uint32_t kSign = 1u << (kBits - 1), kAll = kSign | (kSign - 1);
    const float value = widen<T>(x);
    std::uint32_t bits;
    if constexpr (T::dtype == MPT_F32)
        bits = __float_as_uint(value);
    else if constexpr (T::dtype == MPT_F16)
        bits = __half_as_ushort(x);
    else
        bits = __bfloat16_as_ushort(x);
    if (value == 0) bits = 0;
    bits = value != value ? kAll : bits & kSign ? ~bits & kAll : bits | kSign;
    return bits ^ flip;
}
template <class T>
std::uint32_t flip_of(bool descending) {
    return descending ? ~std::uint32_t{0} >> (32 - 8 * sizeof(typename T::Stored)) : 0;
}

inline unsigned log_of(std::int64_t count) {  // of the first power of 2 from count on
    return count <= 1 ? 0 : static_cast<unsigned>(std::bit_width(static_cast<std::uint64_t>(count - 1)));
}

struct Lines {
    Rows<2> rows;       // of y and x
    std::int64_t n, k;  // elements of a line: all, asked for
    std::uint32_t flip;
};

// One round of sorting in shared memory.
struct Round {
    std::int64_t n, parts, units;  // elements of a line, parts of it, parts of all
    unsigned log_part, log_units;  // of a block
    bool crosswise;                // neighbouring lines lie side by side
};

// Item t of a block: which of its parts, and where in it.
__device__ __forceinline__ void divide(const Round &round, unsigned t, unsigned &unit, unsigned &i) {
    unit = round.crosswise ? t & ((1u << round.log_units) - 1) : t >> round.log_part;
    i = round.crosswise ? t >> round.log_units : t & ((1u << round.log_part) - 1);
}

// All parts of a block at once [Batcher 1968].
__device__ __forceinline__ void sort_parts(Item *items, unsigned log_part, unsigned pairs) {
    const unsigned part = 1u << log_part;
    bool far = true;  // did the last step reach beyond the 64 items that a warp works on?
    for (unsigned size = 2; size <= part; size *= 2)
        for (unsigned stride = size / 2; stride > 0; stride /= 2) {
            if (far || stride > 32)
                __syncthreads();
            else
                __syncwarp();
            far = stride > 32;
            for (unsigned t = threadIdx.x; t < pairs; t += blockDim.x) {
                const unsigned low = 2 * t - (t & (stride - 1)), high = low + stride;
                const Item a = items[low], b = items[high];
                if ((a > b) == ((low & (part - 1) & size) == 0)) {
                    items[low] = b;
                    items[high] = a;
                }
            }
        }
    __syncthreads();
}

// from: the items of the round before, or null. to: where the first k of each part go, or null: they are what is asked for.
template <class T>
__global__ void __launch_bounds__(512)
    sort_block(const __grid_constant__ Lines lines, const __grid_constant__ Round round, const typename T::Stored *__restrict__ x,
               const Item *__restrict__ from, Item *__restrict__ to, typename T::Stored *__restrict__ values,
               std::int64_t *__restrict__ places) {
    extern __shared__ Item items[];
    const unsigned count = 1u << (round.log_part + round.log_units);
    const std::int64_t first = std::int64_t{blockIdx.x} << round.log_units;
    for (unsigned t = threadIdx.x; t < count; t += blockDim.x) {
        unsigned own, i;
        divide(round, t, own, i);
        const std::int64_t unit = first + own, line = round.parts == 1 ? unit : unit / round.parts;
        const std::int64_t place = (round.parts == 1 ? 0 : unit % round.parts << round.log_part) + i;
        Item item = ~Item{0};
        if (unit < round.units && place < round.n) {
            if (from) {
                item = from[line * round.n + place];
            } else {
                std::int64_t at[2];
                lines.rows.locate(line, at);
                item = Item{key_of<T>(x[at[1] + place * lines.rows.stride[1]], lines.flip)} << 32 | static_cast<Item>(place);
            }
        }
        items[own << round.log_part | i] = item;
    }
    sort_parts(items, round.log_part, count / 2);
    for (unsigned t = threadIdx.x; t < count; t += blockDim.x) {
        unsigned own, i;
        divide(round, t, own, i);
        const std::int64_t unit = first + own;
        if (unit >= round.units || i >= lines.k) continue;
        const Item item = items[own << round.log_part | i];
        if (to) {
            to[unit * lines.k + i] = item;
        } else {
            const std::int64_t place = static_cast<std::uint32_t>(item);
            std::int64_t at[2];
            lines.rows.locate(unit, at);
            values[at[0] + i * lines.rows.stride[0]] = x[at[1] + place * lines.rows.stride[1]];
            places[at[0] + i * lines.rows.stride[0]] = place;
        }
    }
}

template <class T>
std::unique_ptr<Kernel> sorted_in_blocks(const Lines &lines) {
    std::vector<Round> rounds;
    std::size_t bytes[2] = {0, 0};  // what the rounds leave for the next, in turns
    for (std::int64_t n = lines.n;;) {
        Round round{};
        round.n = n;
        const bool fits = n <= std::int64_t{1} << kFits;
        round.log_part = fits ? log_of(n) : kPart;
        round.parts = fits ? 1 : (n + (1 << kPart) - 1) >> kPart;
        round.units = lines.rows.count * round.parts;
        round.crosswise = rounds.empty() && fits && lines.rows.beside(1);
        const unsigned log_items = round.crosswise ? kFits : 9;
        round.log_units = std::min(log_items - std::min(round.log_part, log_items), log_of(round.units));
        if (!fits) round.log_units = 0;
        rounds.push_back(round);
        if (fits) break;
        n = round.parts * lines.k;
        std::size_t &space = bytes[rounds.size() % 2];
        space = std::max(space, workspace_part(static_cast<std::size_t>(lines.rows.count * n) * sizeof(Item)));
    }
    return kernel_of(
        "cuda:sort_blocks",
        [=](const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
            using Stored = typename T::Stored;
            Item *const spaces[2] = {static_cast<Item *>(workspace),
                                     reinterpret_cast<Item *>(static_cast<std::byte *>(workspace) + bytes[0])};
            for (std::size_t r = 0; r < rounds.size(); ++r) {
                const Round &round = rounds[r];
                const unsigned log_items = round.log_part + round.log_units;
                const unsigned threads = std::clamp(1u << log_items >> 1, 32u, 512u);
                const auto blocks =
                    static_cast<unsigned>((round.units + (std::int64_t{1} << round.log_units) - 1) >> round.log_units);
                const bool last = r + 1 == rounds.size();
                sort_block<T><<<blocks, threads, sizeof(Item) << log_items, stream>>>(
                    lines, round, static_cast<const Stored *>(in[0]), r == 0 ? nullptr : spaces[r % 2],
                    last ? nullptr : spaces[(r + 1) % 2], static_cast<Stored *>(out[0]), static_cast<std::int64_t *>(out[1]));
                check_launch("sort");
            }
        },
        bytes[0] + bytes[1]);
}

// Lines that are sorted by radix; per_line: elements of one that a kernel takes.
struct Batch {
    std::int64_t first, count;
    Divider per_line;
};
// There is one line, or there are few elements.
__device__ __forceinline__ std::int64_t line_of(const Batch &batch, std::int64_t e, std::int64_t &i) {
    std::uint32_t line = static_cast<std::uint32_t>(e);
    i = batch.count == 1 ? e : std::int64_t{batch.per_line.divide(line)};
    return batch.count == 1 ? 0 : line;
}

template <class T, class Key>
__global__ void make_keys(const __grid_constant__ Lines lines, const __grid_constant__ Batch batch,
                          const typename T::Stored *__restrict__ x, Key *keys, std::uint32_t *numbers) {
    const std::int64_t count = batch.count * lines.n;
    for (std::int64_t e = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; e < count;
         e += std::int64_t{gridDim.x} * blockDim.x) {
        std::int64_t i, at[2];
        const std::int64_t line = line_of(batch, e, i);
        lines.rows.locate(batch.first + line, at);
        Key key = key_of<T>(x[at[1] + i * lines.rows.stride[1]], lines.flip);
        if (batch.count > 1) key |= static_cast<Key>(static_cast<std::uint64_t>(line) << (8 * sizeof(typename T::Stored)));
        keys[e] = key;
        numbers[e] = static_cast<std::uint32_t>(i);
    }
}

template <class T>
__global__ void take_first(const __grid_constant__ Lines lines, const __grid_constant__ Batch batch,
                           const typename T::Stored *__restrict__ x, const std::uint32_t *__restrict__ numbers,
                           typename T::Stored *__restrict__ values, std::int64_t *__restrict__ places) {
    const std::int64_t count = batch.count * lines.k;
    for (std::int64_t e = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; e < count;
         e += std::int64_t{gridDim.x} * blockDim.x) {
        std::int64_t i, at[2];
        const std::int64_t line = line_of(batch, e, i);
        lines.rows.locate(batch.first + line, at);
        const std::int64_t place = numbers[line * lines.n + i];
        values[at[0] + i * lines.rows.stride[0]] = x[at[1] + place * lines.rows.stride[1]];
        places[at[0] + i * lines.rows.stride[0]] = place;
    }
}

template <class T, class Key>
std::unique_ptr<Kernel> sorted_by_radix(const Device &device, const Lines &lines, std::int64_t at_once, int bits) {
    const RadixSort<Key> radix(at_once * lines.n, bits);
    return kernel_of(
        "cuda:sort_radix",
        [=, &device](const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
            using Stored = typename T::Stored;
            const auto *x = static_cast<const Stored *>(in[0]);
            for (std::int64_t first = 0; first < lines.rows.count; first += at_once) {
                Batch batch{first, std::min(at_once, lines.rows.count - first), Divider(static_cast<std::uint32_t>(lines.n))};
                const auto pairs = radix.input(workspace);
                make_keys<T><<<blocks_for(device, batch.count * lines.n), kThreads, 0, stream>>>(lines, batch, x, pairs.keys,
                                                                                                 pairs.numbers);
                check_launch("sort");
                const auto sorted = radix.run(workspace, batch.count * lines.n, stream);
                batch.per_line = Divider(static_cast<std::uint32_t>(lines.k));
                take_first<T><<<blocks_for(device, batch.count * lines.k), kThreads, 0, stream>>>(
                    lines, batch, x, sorted.numbers, static_cast<Stored *>(out[0]), static_cast<std::int64_t *>(out[1]));
                check_launch("sort");
            }
        },
        radix.workspace_bytes());
}

template <class T>
std::unique_ptr<Kernel> make(const Device &device, const Lines &lines) {
    if (lines.n <= std::int64_t{1} << kFits || lines.k <= kFew) return sorted_in_blocks<T>(lines);
    const std::int64_t at_once = std::clamp<std::int64_t>(kBatch / lines.n, 1, lines.rows.count);
    const int bits = static_cast<int>(8 * sizeof(typename T::Stored) + log_of(at_once));
    return bits <= 32 ? sorted_by_radix<T, std::uint32_t>(device, lines, at_once, bits)
                      : sorted_by_radix<T, std::uint64_t>(device, lines, at_once, bits);
}

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    const mpt_mod_operand &y = call.out[0], &places = call.out[1];
    mpt_mod_operand x = call.in[0];
    const auto &attrs = attrs_of<mpt_attrs_sort>(call);
    if (attrs.dim < 0 || attrs.dim >= x.ndim || x.ndim != y.ndim || y.dtype != x.dtype || places.dtype != MPT_I64 ||
        !same_layout(y, places))
        throw Failure{MPT_ERROR_INTERNAL, "sort: the operands do not fit"};
    const std::int64_t n = x.shape[attrs.dim], k = y.shape[attrs.dim];
    x.shape[attrs.dim] = k;
    std::unique_ptr<Kernel> kernel;
    visit_float("sort", x.dtype, [&](auto t) {
        using T = decltype(t);
        kernel = make<T>(device, Lines{Rows<2>("sort", attrs.dim, {&y, &x}), n, k, flip_of<T>(attrs.descending != 0)});
    });
    return kernel;
}
const RegisteredKernel registered("sort", prepare);

}  // namespace
}  // namespace mpt::cuda
