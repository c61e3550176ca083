// R's serialized objects, binary big-endian form, as trees [R Internals, "Serialization Formats"]. SPDX-License-Identifier:
// Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <vector>

extern "C" {
#include "rdata.h"
}

struct rdata_named;

// Only the vector that belongs to the type has elements. Strings lie in the bytes that were parsed; NA has no data.
struct rdata_value {
    rdata_type type = RDATA_NULL;
    std::vector<int32_t> integers;
    std::vector<double> reals;
    std::vector<std::string_view> strings;
    std::vector<rdata_value> items;
    std::vector<rdata_named> attributes;
};

struct rdata_named {
    std::string_view name;
    rdata_value value;
};

namespace samples {

struct Damaged : std::runtime_error {
    using runtime_error::runtime_error;
};

// Takes size bytes apart, which must outlive the value. Throws Damaged.
rdata_value parse_rdata(const uint8_t *bytes, size_t size);

}  // namespace samples
