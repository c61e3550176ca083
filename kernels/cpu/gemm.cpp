#include "gemm.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "isa.h"
#include "transpose.h"

namespace mpt::cpu {

namespace {

constexpr std::int64_t kLine = 16;       // elements: keeps every buffer on its own cache lines
constexpr std::int64_t kLargestM = 144;  // packed A of a tile stays in the second-level cache
constexpr std::int64_t kSingleK = 640;   // up to here k is one block
constexpr std::int64_t kBlockK = 384;
constexpr std::int64_t kScratchK = 64;  // columns transposed at a time
constexpr std::int64_t kScratchStep = kScratchK + kLine;
constexpr std::int64_t kShareBytes = std::int64_t{64} << 20;
constexpr double kWorkPerThread = 2e6;  // operations that are worth waking a thread for

std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
    return (a + b - 1) / b;
}
std::int64_t round_up(std::int64_t a, std::int64_t b) {
    return ceil_div(a, b) * b;
}

// An odd number of cache lines: rows that are a power of two apart would fall on the same few lines of the cache.
std::int64_t padded_step(std::int64_t n) {
    return (ceil_div(n, kLine) | 1) * kLine;
}

// Equal blocks of at most `largest`, in multiples of `unit`.
std::int64_t even_block(std::int64_t n, std::int64_t largest, std::int64_t unit) {
    return n == 0 ? unit : round_up(ceil_div(n, ceil_div(n, largest)), unit);
}

}  // namespace

const char *gemm_isa() {
    switch (isa()) {
        case Isa::avx512:
            return "avx512";
        case Isa::avx2:
            return "avx2";
        default:
            break;
    }
#if defined(__x86_64__)
    return "sse2";
#elif defined(__aarch64__)
    return "neon";
#else
    return "generic";
#endif
}

template <class T>
struct Gemm<T>::Work {
    T *a, *b, *c, *scratch, *sums;
    std::int64_t a_holds = -1, b_holds = -1;  // which block is packed here
};

template <class T>
struct Gemm<T>::Launch {
    const Gemm &gemm;
    const void *a, *b;
    void *c;
    T *shared_b, *work;
    std::atomic<std::int64_t> next{0};
};

template <class T>
Gemm<T>::Gemm(Pool &pool, const GemmShape &shape, Factor<T> a, Factor<T> b, const TileSink<T> &sink)
    : pool_(pool), shape_(shape), a_(a), b_(b), sink_(sink), micro_(best_micro<T>()) {
    const std::int64_t panel = 2 * micro_.lanes;
    if (shape_.segment == 0) shape_.segment = std::max<std::int64_t>(shape.m, 1);
    const std::int64_t segment = shape_.segment;
    m_block_ = even_block(segment, kLargestM, micro_.rows);
    n_block_ = even_block(shape.n, kTileColumns, panel);
    const auto tiles = [&] {
        return shape_.items * shape_.chunks * (shape_.m / segment) * ceil_div(segment, m_block_) * ceil_div(shape_.n, n_block_);
    };
    // Several tiles per thread, so that a thread that comes late takes fewer.
    const std::int64_t wanted = pool.threads() > 1 ? 4 * pool.threads() : 1;
    while (tiles() < wanted && n_block_ > 64) n_block_ = even_block(shape.n, round_up(n_block_ / 2, panel), panel);
    while (tiles() < wanted && m_block_ > 48) m_block_ = even_block(segment, round_up(m_block_ / 2, micro_.rows), micro_.rows);
    segment_blocks_ = ceil_div(segment, m_block_);
    m_blocks_ = shape.m / segment * segment_blocks_;
    n_blocks_ = ceil_div(shape.n, n_block_);

    const std::int64_t longest = ceil_div(shape.k, shape.chunks);
    k_block_ = longest <= kSingleK ? std::max<std::int64_t>(longest, 1) : even_block(longest, kBlockK, kLine);
    k_blocks_ = ceil_div(longest, k_block_);

    a_step_ = padded_step(a.rows_are_k ? m_block_ : k_block_);
    c_step_ = padded_step(n_block_);
    a_size_ = a_step_ * (a.rows_are_k ? k_block_ : m_block_);
    c_size_ = c_step_ * m_block_;
    b_block_size_ = round_up(n_block_ * k_block_, kLine);
    scratch_size_ = b.rows_are_k ? 0 : panel * kScratchStep;
    const std::int64_t shared_size = shape.items * n_blocks_ * k_blocks_ * b_block_size_;
    share_b_ = shape.chunks == 1 && m_blocks_ >= 4 && shared_size * static_cast<std::int64_t>(sizeof(T)) <= kShareBytes;
    work_size_ =
        a_size_ + (share_b_ ? 0 : b_block_size_) + c_size_ + scratch_size_ + (shape.column_sums ? round_up(n_block_, kLine) : 0);

    const double mn = static_cast<double>(shape.m) * static_cast<double>(shape.n), k = static_cast<double>(shape.k);
    const double edge = mn + k * static_cast<double>(shape.m + shape.n);
    const double operations = static_cast<double>(shape.items) * std::max(2 * mn * k, 32 * edge);
    const double most = std::min(operations / kWorkPerThread, static_cast<double>(std::max<std::int64_t>(tiles(), 1)));
    parts_ = static_cast<int>(std::clamp(most, 1.0, static_cast<double>(pool.threads())));
}

template <class T>
std::size_t Gemm<T>::workspace_bytes() const {
    const std::int64_t shared = share_b_ ? shape_.items * n_blocks_ * k_blocks_ * b_block_size_ : 0;
    return static_cast<std::size_t>(shared + parts_ * work_size_) * sizeof(T);
}

template <class T>
std::int64_t Gemm<T>::packed_width(std::int64_t ns) const {
    return ns > micro_.lanes ? 2 * micro_.lanes : micro_.lanes;
}

template <class T>
void Gemm<T>::pack_a(T *dst, const void *base, std::int64_t item, std::int64_t m0, std::int64_t ms, std::int64_t k0,
                     std::int64_t ks) const {
    if (a_.rows_are_k)
        a_.source->read(base, item, k0, ks, m0, ms, dst, a_step_);
    else
        a_.source->read(base, item, m0, ms, k0, ks, dst, a_step_);
}

// Panels of two vectors (the last of one or two), k rows each; columns past the edge are 0.
template <class T>
void Gemm<T>::pack_b(T *dst, T *scratch, const void *base, std::int64_t item, std::int64_t n0, std::int64_t ns, std::int64_t k0,
                     std::int64_t ks) const {
    const std::int64_t panel = 2 * micro_.lanes;
    for (std::int64_t j = 0; j < ns; j += panel) {
        const std::int64_t used = std::min(panel, ns - j), width = packed_width(used);
        T *out = dst + j * ks;
        if (b_.rows_are_k) {
            if (used < width) std::memset(out, 0, static_cast<std::size_t>(width * ks) * sizeof(T));
            b_.source->read(base, item, k0, ks, n0 + j, used, out, width);
            continue;
        }
        std::memset(scratch + used * kScratchStep, 0, static_cast<std::size_t>((width - used) * kScratchStep) * sizeof(T));
        for (std::int64_t k = 0; k < ks; k += kScratchK) {
            const std::int64_t count = std::min(kScratchK, ks - k);
            b_.source->read(base, item, n0 + j, used, k0 + k, count, scratch, kScratchStep);
            transpose(scratch, kScratchStep, width, count, out + k * width);
        }
    }
}

// k [k_begin, k_end) of a packed block of B that has ks; a starts at k_begin.
template <class T>
void Gemm<T>::multiply(const T *a, const T *b, T *c, std::int64_t ms, std::int64_t ns, std::int64_t ks, std::int64_t k_begin,
                       std::int64_t k_end, TileStore how) const {
    const std::int64_t row_step = a_.rows_are_k ? 1 : a_step_, k_step = a_.rows_are_k ? a_step_ : 1;
    const std::int64_t panel = 2 * micro_.lanes;
    // Equal tiles: 64 rows are 5 x 11 + 9, not 5 x 12 + 4.
    const std::int64_t rows = ceil_div(ms, ceil_div(ms, micro_.rows));
    for (std::int64_t j = 0; j < ns; j += panel) {
        const std::int64_t width = packed_width(std::min(panel, ns - j));
        const T *at = b + j * ks + k_begin * width;
        for (std::int64_t i = 0; i < ms; i += rows) {
            const auto tile = micro_.tiles[std::min(rows, ms - i) - 1][static_cast<std::size_t>(width / micro_.lanes - 1)];
            tile(k_end - k_begin, a + i * row_step, row_step, k_step, at, c + i * c_step_ + j, c_step_, how);
        }
    }
}

template <class T>
void Gemm<T>::add_column_sums(T *sums, const T *b, std::int64_t ns, std::int64_t ks) const {
    const std::int64_t panel = 2 * micro_.lanes;
    for (std::int64_t j = 0; j < ns; j += panel, b += panel * ks) {
        const std::int64_t width = packed_width(std::min(panel, ns - j));
        for (std::int64_t k = 0; k < ks; ++k)
            for (std::int64_t i = 0; i < width; ++i) sums[j + i] += b[k * width + i];
    }
}

template <class T>
void Gemm<T>::tile(const Launch &launch, Work &work, std::int64_t index) const {
    const std::int64_t mb = index % m_blocks_, nb = index / m_blocks_ % n_blocks_;
    const std::int64_t outer = index / m_blocks_ / n_blocks_, chunk = outer % shape_.chunks, item = outer / shape_.chunks;
    const std::int64_t in_segment = mb % segment_blocks_ * m_block_, m0 = mb / segment_blocks_ * shape_.segment + in_segment;
    const std::int64_t ms = std::min(m_block_, shape_.segment - in_segment);
    const std::int64_t n0 = nb * n_block_, ns = std::min(n_block_, shape_.n - n0);
    const std::int64_t k_begin = shape_.k * chunk / shape_.chunks, k_end = shape_.k * (chunk + 1) / shape_.chunks;
    const bool sums = shape_.column_sums && mb == 0;
    if (sums) std::fill_n(work.sums, n_block_, T{});
    ColumnRanges used;
    if (shape_.skip_zeros) {
        used = a_.source->used_columns(m0, ms);
    } else {
        used.count = 1;
        used.begin[0] = k_begin;
        used.end[0] = k_end;
    }

    TileStore how = TileStore::set;
    for (std::int64_t k0 = k_begin, kb = 0; k0 < k_end; k0 += k_block_, ++kb) {
        const std::int64_t ks = std::min(k_block_, k_end - k0);
        const std::int64_t a_key = (outer * m_blocks_ + mb) * k_blocks_ + kb, b_key = (outer * n_blocks_ + nb) * k_blocks_ + kb;
        const T *b = work.b;
        if (share_b_) {
            b = launch.shared_b + b_key * b_block_size_;
        } else {
            if (work.b_holds != b_key) pack_b(work.b, work.scratch, launch.b, item, n0, ns, k0, ks);
            work.b_holds = b_key;
        }
        for (int r = 0; r < used.count; ++r) {
            const std::int64_t begin = std::max(used.begin[r], k0), end = std::min(used.end[r], k0 + ks);
            if (begin >= end) continue;
            T *a = work.a + (begin - k0) * (a_.rows_are_k ? a_step_ : 1);
            if (work.a_holds != a_key) pack_a(a, launch.a, item, m0, ms, begin, end - begin);
            multiply(a, b, work.c, ms, ns, ks, begin - k0, end - k0, how);
            how = shape_.skip_zeros ? TileStore::extend : TileStore::add;
        }
        work.a_holds = a_key;
        if (sums) add_column_sums(work.sums, b, ns, ks);
    }
    if (how == TileStore::set) std::fill_n(work.c, ms * c_step_, T{});
    sink_.write(launch.c, item, chunk, m0, ms, n0, ns, work.c, c_step_);
    if (sums) sink_.write_column_sums(launch.c, item, chunk, n0, ns, work.sums);
}

template <class T>
typename Gemm<T>::Work Gemm<T>::work_of(const Launch &launch, std::int32_t part) const {
    Work work;
    work.a = launch.work + part * work_size_;
    work.c = work.a + a_size_;
    work.scratch = work.c + c_size_;
    work.b = work.scratch + scratch_size_;
    work.sums = work.b + (share_b_ ? 0 : b_block_size_);
    return work;
}

template <class T>
void Gemm<T>::pack_shared_b(Launch &launch, std::int32_t part) const {
    const Work work = work_of(launch, part);
    const std::int64_t blocks = shape_.items * n_blocks_ * k_blocks_;
    for (std::int64_t i; (i = launch.next.fetch_add(1, std::memory_order_relaxed)) < blocks;) {
        const std::int64_t k0 = i % k_blocks_ * k_block_, n0 = i / k_blocks_ % n_blocks_ * n_block_;
        pack_b(launch.shared_b + i * b_block_size_, work.scratch, launch.b, i / k_blocks_ / n_blocks_, n0,
               std::min(n_block_, shape_.n - n0), k0, std::min(k_block_, shape_.k - k0));
    }
}

template <class T>
void Gemm<T>::multiply_tiles(Launch &launch, std::int32_t part) const {
    Work work = work_of(launch, part);
    const std::int64_t tiles = shape_.items * shape_.chunks * m_blocks_ * n_blocks_;
    for (std::int64_t i; (i = launch.next.fetch_add(1, std::memory_order_relaxed)) < tiles;) tile(launch, work, i);
}

template <class T>
void Gemm<T>::run(const void *a, const void *b, void *c, void *workspace) const {
    T *memory = static_cast<T *>(workspace);
    const std::int64_t shared = share_b_ ? shape_.items * n_blocks_ * k_blocks_ * b_block_size_ : 0;
    Launch launch{*this, a, b, c, memory, memory + shared};
    if (share_b_ && shape_.k > 0) {
        const auto body = [](std::int32_t part, std::int32_t, void *p) {
            auto *l = static_cast<Launch *>(p);
            l->gemm.pack_shared_b(*l, part);
        };
        pool_.run(shape_.items * n_blocks_ * k_blocks_ > 1 ? parts_ : 1, body, &launch);
        launch.next.store(0, std::memory_order_relaxed);
    }
    const auto body = [](std::int32_t part, std::int32_t, void *p) {
        auto *l = static_cast<Launch *>(p);
        l->gemm.multiply_tiles(*l, part);
    };
    pool_.run(parts_, body, &launch);
}

template class Gemm<float>;
template class Gemm<double>;

}  // namespace mpt::cpu
