#pragma once

#include <cstddef>

namespace mpt::cuda {

// Parts of a workspace, one behind the other: where a part of so many bytes begins.
inline std::size_t take(std::size_t &workspace_bytes, std::size_t bytes) {
    const std::size_t at = workspace_bytes;
    workspace_bytes += (bytes + 255) / 256 * 256;
    return at;
}

}  // namespace mpt::cuda
