// Which launches of a program must wait for which.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mpt::passes {

// Bytes that a launch reads, or writes and perhaps reads.
struct Access {
    std::uintptr_t begin, end;
    bool writes;
};

// For each launch those before it that it waits for, in order: who wrote what it reads or writes, and who read what it writes. By addresses, so that
// places of the arena that serve one temporary after another count, too.
std::vector<std::vector<std::int32_t>> dependencies(const std::vector<std::vector<Access>> &launches);

}  // namespace mpt::passes
