// Entries of a checkpoint in memory, found by their names.
#pragma once

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/tensors.h"

namespace test {

struct Span {
    std::size_t begin, end;  // in the file
};

inline Span find_entry(const std::string &file, const std::string &name) {
    std::size_t header = 0;
    for (int i = 7; i >= 0; --i) header = header << 8 | static_cast<unsigned char>(file.at(static_cast<std::size_t>(i)));
    const std::size_t entry = file.find(std::string("\"").append(name).append("\":"));
    if (entry == std::string::npos) throw std::runtime_error("the checkpoint has no " + name);
    const std::string key = "\"data_offsets\":[";
    const char *text = file.c_str() + file.find(key, entry) + key.size();
    char *rest;
    const std::size_t begin = std::strtoull(text, &rest, 10), end = std::strtoull(rest + 1, nullptr, 10);
    return {8 + header + begin, 8 + header + end};
}

inline std::vector<double> entry(const std::string &file, const std::string &name, mpt_dtype dtype) {
    const Span span = find_entry(file, name);
    std::vector<std::uint8_t> bytes(file.begin() + static_cast<std::ptrdiff_t>(span.begin),
                                    file.begin() + static_cast<std::ptrdiff_t>(span.end));
    return unpack(dtype, bytes);
}

// The file with zeros in place of an entry.
inline std::string without(std::string file, const std::string &name) {
    const Span span = find_entry(file, name);
    return file.replace(span.begin, span.end - span.begin, span.end - span.begin, '\0');
}

}  // namespace test
