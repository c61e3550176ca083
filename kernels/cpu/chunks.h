// A list of dense tensors cut into pieces of at most one size, so that threads share the work of all tensors evenly
// and what is computed per piece does not depend on the number of threads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "operand.h"

namespace mpt::cpu {

struct Chunk {
    std::int32_t tensor;
    std::int64_t begin, count;
};

class Chunks {
public:
    explicit Chunks(std::int64_t size) : size_(size) {}

    void add(std::int32_t tensor, std::int64_t elements) {
        elements_ += elements;
        for (std::int64_t i = 0; i < elements; i += size_) list_.push_back({tensor, i, std::min(size_, elements - i)});
    }

    std::int64_t count() const { return static_cast<std::int64_t>(list_.size()); }
    const std::vector<Chunk> &list() const { return list_; }

    // f(chunk, its index) for all of them, by several threads.
    template <class F>
    void run(Pool &pool, F &&f) const {
        // Many small tensors: as many chunks to a thread as make it worth waking.
        const std::int64_t grain = elements_ > 0 ? (count() * kGrain + elements_ - 1) / elements_ : 1;
        pool.for_range(count(), grain, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; i++) f(list_[static_cast<std::size_t>(i)], i);
        });
    }

private:
    std::int64_t size_, elements_ = 0;
    std::vector<Chunk> list_;
};

}  // namespace mpt::cpu
