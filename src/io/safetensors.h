// The safetensors format: 8 bytes with the header's length (little-endian), a JSON object of name -> {dtype, shape,
// data_offsets}, then the data. Source: the format's description in the huggingface/safetensors repository.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/shape.h"
#include "mpt.h"

namespace mpt::safetensors {

struct Entry {
    std::string name;
    mpt_dtype dtype;
    Dims shape;
    std::uint64_t begin, end;  // bytes in the data part
};

// The most that a header may take: the same bound as the reference reader's.
constexpr std::uint64_t kMaxHeader = 100'000'000;

std::uint64_t checked_nbytes(const Entry &entry);  // UINT64_MAX on overflow
// Length and JSON, padded with spaces so that the data begin at a multiple of 8. begin and end are set here.
std::string header(std::vector<Entry> &entries);
// Parses and checks a JSON header. MPT_ERROR_IO says what is wrong.
// Entries of types that mpt does not have come with MPT_DTYPE_NONE.
std::vector<Entry> parse(std::string_view json);

}  // namespace mpt::safetensors
