// A list of dense tensors as the work of one launch: cut into pieces of one size, each of one tensor, which blocks take whatever
// the tensor. The addresses travel as a parameter of the kernel.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "element.cuh"
#include "index.cuh"

namespace mpt::cuda {

// Bytes of records in a parameter; few tensors are spared the time that a large one takes.
inline constexpr int kSmallTable = 3 << 10, kLargeTable = 30 << 10;

// Elements of one tensor, for one block.
struct Piece {
    std::uint32_t record;  // the tensor's
    std::uint32_t tensor;  // among those of the table
    std::int64_t begin;
    int count;
    std::uint64_t forms;

    __device__ __forceinline__ std::int32_t dtype(int address) const {
        return static_cast<std::int32_t>(forms >> (4 * address) & 15);
    }
    // Every address suits accesses of a whole pack.
    __device__ __forceinline__ bool packed() const { return forms >> 63; }
};

// Words of a record: its first piece, elements, first block of random numbers, forms, addresses.
enum { kFirstPiece, kCount, kFirstBlock, kForms, kAddresses };
inline constexpr int kMostAddresses = 15;  // 4 bits each of the forms

template <int Bytes>
struct TensorTable {
    static constexpr int kWords = Bytes / 8;
    std::uint32_t tensors = 0, pieces = 0, record_words = 0, piece_elements = 0;
    std::uint32_t first_tensor = 0, first_piece = 0;  // in the whole list
    std::uint64_t words[kWords];

    __device__ __forceinline__ Piece piece(std::uint32_t i) const {
        std::uint32_t low = 0, high = tensors;
        while (high - low > 1) {
            const std::uint32_t middle = (low + high) / 2;
            if (words[middle * record_words + kFirstPiece] <= i)
                low = middle;
            else
                high = middle;
        }
        Piece piece;
        piece.tensor = low;
        piece.record = low * record_words;
        piece.begin = static_cast<std::int64_t>(i - static_cast<std::uint32_t>(words[piece.record + kFirstPiece])) * piece_elements;
        const std::int64_t left = static_cast<std::int64_t>(words[piece.record + kCount]) - piece.begin;
        piece.count = left < piece_elements ? static_cast<int>(left) : static_cast<int>(piece_elements);
        piece.forms = words[piece.record + kForms];
        return piece;
    }

    template <class T>
    __device__ __forceinline__ T *address(const Piece &piece, int number) const {
        T *p = reinterpret_cast<T *>(words[piece.record + kAddresses + number]);
        __builtin_assume(__isGlobal(p));
        return p;
    }
};

// The same on the host.
class TensorList {
public:
    struct Tensor {
        int index;  // the caller's number
        std::int64_t count;
        std::uint64_t forms = 0;  // 4 bits of dtype for each address
        std::uint64_t first_block = 0;
    };

    // pack: elements of one access. A piece has stride elements, or 2, 4, ... most times as many where there is work enough.
    TensorList(const Device &device, int addresses, int pack, int stride, int most, std::vector<Tensor> tensors);

    std::int64_t pieces() const { return pieces_; }
    int tensors() const { return static_cast<int>(tensors_.size()); }

    // address(index, number) of a tensor; launch(table) for one or more tables, with at least one piece each.
    template <class Address, class Launch>
    void launch(Address address, Launch launch) const {
        if (tensors_.size() * record_words() * 8 <= kSmallTable)
            fill<kSmallTable>(address, launch);
        else
            fill<kLargeTable>(address, launch);
    }

private:
    std::size_t record_words() const { return static_cast<std::size_t>(kAddresses + addresses_); }
    std::int64_t pieces_of(const Tensor &tensor) const { return (tensor.count + piece_ - 1) / piece_; }

    template <int Bytes, class Address, class Launch>
    void fill(Address address, Launch launch) const {
        TensorTable<Bytes> table;
        table.record_words = static_cast<std::uint32_t>(record_words());
        table.piece_elements = static_cast<std::uint32_t>(piece_);
        const std::size_t room = TensorTable<Bytes>::kWords / record_words();
        for (std::size_t at = 0; at < tensors_.size(); at += room) {
            table.first_tensor = static_cast<std::uint32_t>(at);
            table.first_piece += table.pieces;
            table.pieces = 0;
            table.tensors = static_cast<std::uint32_t>(std::min(room, tensors_.size() - at));
            for (std::size_t t = 0; t < table.tensors; ++t) {
                const Tensor &tensor = tensors_[at + t];
                std::uint64_t *record = table.words + t * record_words();
                record[kFirstPiece] = table.pieces;
                record[kCount] = static_cast<std::uint64_t>(tensor.count);
                record[kFirstBlock] = tensor.first_block;
                std::uint64_t packed = 1;
                for (int a = 0; a < addresses_; ++a) {
                    const std::int32_t dtype = static_cast<std::int32_t>(tensor.forms >> (4 * a) & 15);
                    const void *p = dtype == MPT_DTYPE_NONE ? nullptr : address(tensor.index, a);
                    record[kAddresses + a] = reinterpret_cast<std::uint64_t>(p);
                    if (p) packed &= aligned(p, std::min<std::size_t>(16, bytes_of(dtype) * static_cast<std::size_t>(pack_)));
                }
                record[kForms] = tensor.forms | packed << 63;
                table.pieces += static_cast<std::uint32_t>(pieces_of(tensor));
            }
            launch(table);
        }
    }

    int addresses_, pack_;
    std::int64_t piece_, pieces_ = 0;
    std::vector<Tensor> tensors_;  // those that have elements
};

// Pack i of V elements of a dtype that is known at run time, as f32.
template <class Format, int V>
__device__ __forceinline__ void load_pack(const void *from, std::int64_t at, float (&x)[V]) {
    const auto pack =
        *reinterpret_cast<const Pack<typename Format::Stored, V> *>(static_cast<const typename Format::Stored *>(from) + at);
#pragma unroll
    for (int v = 0; v < V; ++v) x[v] = widen<Format>(pack.at[v]);
}

template <class Format, int V>
__device__ __forceinline__ void store_pack(void *to, std::int64_t at, const float (&x)[V]) {
    Pack<typename Format::Stored, V> pack;
#pragma unroll
    for (int v = 0; v < V; ++v) pack.at[v] = narrow<Format>(x[v]);
    *reinterpret_cast<Pack<typename Format::Stored, V> *>(static_cast<typename Format::Stored *>(to) + at) = pack;
}

template <int V>
__device__ __forceinline__ void store_pack(std::int32_t dtype, void *to, std::int64_t at, const float (&x)[V]) {
    if (dtype == MPT_BF16)
        store_pack<BF16>(to, at, x);
    else if (dtype == MPT_F16)
        store_pack<F16>(to, at, x);
    else if (dtype == MPT_F32)
        store_pack<F32>(to, at, x);
    else
        store_pack<F64>(to, at, x);
}

// U packs; those behind each other in the arrays are asked for together.
template <int V, int U>
__device__ __forceinline__ void load_packs(std::int32_t dtype, const void *from, const std::int64_t (&at)[U], float (&x)[U][V]) {
    if (dtype == MPT_F32) {
#pragma unroll
        for (int u = 0; u < U; ++u) load_pack<F32>(from, at[u], x[u]);
    } else if (dtype == MPT_BF16) {
#pragma unroll
        for (int u = 0; u < U; ++u) load_pack<BF16>(from, at[u], x[u]);
    } else {
#pragma unroll
        for (int u = 0; u < U; ++u) load_pack<F16>(from, at[u], x[u]);
    }
}

// All loads before it are asked for before anything behind it; the compiler would move each to where it is used first.
__device__ __forceinline__ void loads_are_asked_for() {
    asm volatile("" ::: "memory");
}

// What unscaling multiplies by. scale: the loss scale, or nullptr.
__device__ __forceinline__ float inverse_scale(const float *scale) {
    return scale ? static_cast<float>(1.0 / static_cast<double>(*scale)) : 1.0f;
}

}  // namespace mpt::cuda
