// The matrix product behind matmul and the convolutions: C = A B, read and written through views, so that the same
// blocking serves transposed matrices, images seen as matrices, and every format.
//
// Order of additions: k is cut into chunks (the caller's), a chunk into blocks, whose sizes depend on k alone. A block is
// one chain of fused multiply-adds, blocks are added in order; where zeros are skipped, all of k is one chain. So the bits of a
// result depend on the shape and the instruction set, not on the number of threads, nor on how rows and columns are tiled.
#pragma once

#include <cstddef>
#include <cstdint>

#include "gemm_micro.h"
#include "pool.h"

namespace mpt::cpu {

// Columns of a factor that are not all zero.
struct ColumnRanges {
    static constexpr int kMost = 8;
    int count = 0;
    std::int64_t begin[kMost], end[kMost];
};

// One factor as a matrix of rows in memory; what lies along a row is best contiguous. `item` counts the batch.
template <class T>
class RowSource {
public:
    virtual ~RowSource() = default;
    // Converts rows [row0, row0 + rows), columns [col0, col0 + cols) to dst, rows ld apart.
    virtual void read(const void *base, std::int64_t item, std::int64_t row0, std::int64_t rows, std::int64_t col0,
                      std::int64_t cols, T *dst, std::int64_t ld) const = 0;
    // For rows [row0, row0 + rows); asked only of a factor A whose shape says skip_zeros.
    virtual ColumnRanges used_columns(std::int64_t, std::int64_t) const { return {}; }
};

template <class T>
struct Factor {
    const RowSource<T> *source = nullptr;
    bool rows_are_k = false;  // else rows are C's rows (of A) or C's columns (of B), and k lies along them
};

// Takes C, tile by tile; each element once per chunk.
template <class T>
class TileSink {
public:
    virtual ~TileSink() = default;
    // src: rows ld apart; may be changed.
    virtual void write(void *base, std::int64_t item, std::int64_t chunk, std::int64_t m0, std::int64_t ms, std::int64_t n0,
                       std::int64_t ns, T *src, std::int64_t ld) const = 0;
    // The sums of B's columns over the chunk's k, where the shape asks for them.
    virtual void write_column_sums(void *, std::int64_t, std::int64_t, std::int64_t, std::int64_t, const T *) const {}
};

struct GemmShape {
    std::int64_t items = 1;  // independent products
    std::int64_t m = 0, n = 0, k = 0;
    std::int64_t chunks = 1;   // of k, each its own C
    std::int64_t segment = 0;  // no tile reaches over a multiple of this many rows; 0: no such limit
    bool skip_zeros = false;   // of A, whose rows are C's
    bool column_sums = false;  // of B
};

inline constexpr std::int64_t kTileColumns = 256;  // the most that one TileSink::write gets

const char *gemm_isa();

template <class T>
class Gemm {
public:
    Gemm(Pool &pool, const GemmShape &shape, Factor<T> a, Factor<T> b, const TileSink<T> &sink);
    std::size_t workspace_bytes() const;
    void run(const void *a, const void *b, void *c, void *workspace) const;

private:
    struct Work;  // one thread's buffers
    struct Launch;
    void pack_a(T *dst, const void *base, std::int64_t item, std::int64_t m0, std::int64_t ms, std::int64_t k0,
                std::int64_t ks) const;
    void pack_b(T *dst, T *scratch, const void *base, std::int64_t item, std::int64_t n0, std::int64_t ns, std::int64_t k0,
                std::int64_t ks) const;
    void multiply(const T *a, const T *b, T *c, std::int64_t ms, std::int64_t ns, std::int64_t ks, std::int64_t k_begin,
                  std::int64_t k_end, TileStore how) const;
    void add_column_sums(T *sums, const T *b, std::int64_t ns, std::int64_t ks) const;
    Work work_of(const Launch &launch, std::int32_t part) const;
    void pack_shared_b(Launch &launch, std::int32_t part) const;
    void multiply_tiles(Launch &launch, std::int32_t part) const;
    void tile(const Launch &launch, Work &work, std::int64_t index) const;
    std::int64_t packed_width(std::int64_t ns) const;

    Pool &pool_;
    GemmShape shape_;
    Factor<T> a_, b_;
    const TileSink<T> &sink_;
    const Micro<T> &micro_;
    std::int64_t m_block_, n_block_, k_block_;                 // largest block
    std::int64_t m_blocks_, n_blocks_, k_blocks_;              // k_blocks_: of the longest chunk
    std::int64_t segment_blocks_;                              // m_blocks_ of a segment
    std::int64_t a_step_;                                      // distance of packed rows of A
    std::int64_t c_step_;                                      // distance of rows of the accumulated tile
    std::int64_t b_block_size_;                                // elements of one packed block of B
    std::int64_t a_size_, c_size_, scratch_size_, work_size_;  // elements per thread
    bool share_b_;                                             // pack all of B once, before the tiles
    int parts_;
};

}  // namespace mpt::cpu
