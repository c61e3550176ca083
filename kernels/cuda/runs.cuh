// Entries that are added up by destination. They are sorted by it, stably; then each destination's are a run, and its sum can be
// written once, its additions in the order of the entries. Long runs are cut into pieces, so that no thread adds for long: the sums
// of pieces are made first, and a long run is the sum of these.
#pragma once

#include <bit>
#include <cmath>

#include "element.cuh"
#include "index.cuh"
#include "radix.cuh"

namespace mpt::cuda {

// Destination d's entries are order[starts[d]] up to order[starts[d + 1]].
struct RunsView {
    const std::uint32_t *order, *starts;
    // The tile of piece entries from t * piece on has two places for sums of parts of long runs: 2t of one that holds its first
    // entry, 2t + 1 of one that begins behind it.
    float *partial;
    std::int64_t destinations, width;  // width: elements of a sum
    unsigned log_piece;

    __device__ __forceinline__ bool is_long(std::uint32_t first, std::uint32_t last) const {
        return (last - first) >> log_piece > 0;
    }
};

template <class Key>
__global__ void find_starts(const Key *__restrict__ keys, std::uint32_t count, std::int64_t destinations,
                            std::uint32_t *__restrict__ starts) {
    for (std::int64_t d = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; d <= destinations;
         d += std::int64_t{gridDim.x} * blockDim.x) {
        std::uint32_t low = 0, high = count;
        while (low < high) {
            const std::uint32_t middle = low + (high - low) / 2;
            if (keys[middle] < static_cast<Key>(d))
                low = middle + 1;
            else
                high = middle;
        }
        starts[d] = low;
    }
}

// The entries of a long run that a place in the workspace is for; false: there is none.
__device__ __forceinline__ bool part_of_long_run(const RunsView &runs, std::uint32_t place, std::uint32_t &first,
                                                 std::uint32_t &last) {
    const std::uint64_t begin = std::uint64_t{place / 2} << runs.log_piece, count = runs.starts[runs.destinations];
    const std::uint64_t end = min(begin + (std::uint64_t{1} << runs.log_piece), count);
    if (begin >= end) return false;
    const std::uint64_t entry = place % 2 == 0 ? begin : end - 1;
    std::int64_t low = 0, high = runs.destinations;  // the last destination whose run begins at the entry or in front of it
    while (high - low > 1) {
        const std::int64_t middle = low + (high - low) / 2;
        if (runs.starts[middle] <= entry)
            low = middle;
        else
            high = middle;
    }
    const std::uint32_t from = runs.starts[low], to = runs.starts[low + 1];
    if (!runs.is_long(from, to) || (place % 2 == 1 && from <= begin)) return false;
    first = place % 2 == 0 ? static_cast<std::uint32_t>(begin) : from;
    last = static_cast<std::uint32_t>(min(std::uint64_t{to}, end));
    return true;
}

// sum += entries [first, last), one by one. source(entry): V elements of it.
template <class T, int V, class Source>
__device__ __forceinline__ void add_entries(const RunsView &runs, const Source &source, std::uint32_t first, std::uint32_t last,
                                            float (&sum)[V]) {
    constexpr int kBatch = V == 1 ? 8 : 4;
    for (std::uint32_t left = last - first; left > 0; left -= min(left, std::uint32_t{kBatch}), first += kBatch) {
        Pack<typename T::Stored, V> packs[kBatch];
#pragma unroll
        for (int k = 0; k < kBatch; ++k)
            if (k < left) packs[k] = source(runs.order[first + k]);
#pragma unroll
        for (int k = 0; k < kBatch; ++k)
            if (k < left)
#pragma unroll
                for (int v = 0; v < V; ++v) sum[v] += widen<T>(packs[k].at[v]);
    }
}

// sum += the run of destination d. at: of the elements in a sum.
template <class T, int V, class Source>
__device__ __forceinline__ void add_run(const RunsView &runs, const Source &source, std::int64_t d, std::int64_t at,
                                        float (&sum)[V]) {
    const std::uint32_t first = runs.starts[d], last = runs.starts[d + 1];
    if (!runs.is_long(first, last)) {
        add_entries<T>(runs, source, first, last, sum);
        return;
    }
    const std::int64_t last_tile = (last - 1) >> runs.log_piece;
    std::int64_t tile = first >> runs.log_piece;
    std::int64_t place = 2 * tile + ((tile << runs.log_piece) != first);
#pragma unroll 4
    for (; tile <= last_tile; place = 2 * ++tile) {
        const auto part = *reinterpret_cast<const Pack<float, V> *>(runs.partial + place * runs.width + at);
#pragma unroll
        for (int v = 0; v < V; ++v) sum[v] += part.at[v];
    }
}

template <class Key>
class Runs {
public:
    // width: elements of a sum.
    Runs(const char *name, std::int64_t entries, std::int64_t destinations, std::int64_t width)
        : name_(name),
          entries_(entries),
          sort_(entries, static_cast<int>(std::bit_width(static_cast<std::uint64_t>(destinations)))) {
        view_.destinations = destinations;
        view_.width = width;
        // As many additions in a piece as there may be pieces in a run.
        const double root = std::sqrt(static_cast<double>(entries));
        view_.log_piece = 6;
        while (static_cast<double>(std::int64_t{1} << view_.log_piece) < root) ++view_.log_piece;
        starts_at_ = workspace_part(sort_.workspace_bytes());
        partial_at_ = starts_at_ + workspace_part(static_cast<std::size_t>(destinations + 1) * sizeof(std::uint32_t));
        workspace_bytes_ = partial_at_ + static_cast<std::size_t>(partials() * width) * sizeof(float);
    }

    std::size_t workspace_bytes() const { return workspace_bytes_; }
    // Places for sums of parts: 0 where no run can be long.
    std::int64_t partials() const {
        const std::int64_t piece = std::int64_t{1} << view_.log_piece;
        return entries_ >= piece ? 2 * ((entries_ + piece - 1) / piece) : 0;
    }
    // Where the caller puts the destinations (or their number, for an entry without one) and the entries' numbers.
    typename RadixSort<Key>::Pairs input(void *workspace) const { return sort_.input(workspace); }

    // The sums of parts are still to be made.
    RunsView sort(const Device &device, void *workspace, cudaStream_t stream) const {
        RunsView view = view_;
        auto *base = static_cast<std::byte *>(workspace);
        auto *starts = reinterpret_cast<std::uint32_t *>(base + starts_at_);
        view.starts = starts;
        view.partial = reinterpret_cast<float *>(base + partial_at_);
        typename RadixSort<Key>::Pairs sorted = input(workspace);
        if (entries_ > 0) sorted = sort_.run(workspace, entries_, stream);
        view.order = sorted.numbers;
        find_starts<<<blocks_for(device, view.destinations + 1), kThreads, 0, stream>>>(
            sorted.keys, static_cast<std::uint32_t>(entries_), view.destinations, starts);
        check_launch(name_);
        return view;
    }

private:
    const char *name_;
    std::int64_t entries_;
    RadixSort<Key> sort_;
    RunsView view_{};
    std::size_t starts_at_ = 0, partial_at_ = 0, workspace_bytes_ = 0;
};

// f(Key{}) with the narrowest type for so many destinations and one more.
template <class F>
void visit_key(std::int64_t destinations, F &&f) {
    if (destinations < std::int64_t{0xffffffff}) return f(std::uint32_t{});
    f(std::uint64_t{});
}

}  // namespace mpt::cuda
