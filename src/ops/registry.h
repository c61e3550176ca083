// Each op file announces its ops, one or a whole table, with an object of static storage; nothing runs at load time but
// a pointer's link.
#pragma once

#include <cstddef>

#include "ops/emit.h"

namespace mpt {

class RegisteredOps {
public:
    explicit RegisteredOps(const Op &op) noexcept : RegisteredOps(&op, 1) {}
    template <std::size_t N>
    explicit RegisteredOps(const Op (&table)[N]) noexcept : RegisteredOps(table, N) {}

    const Op *begin() const { return ops_; }
    const Op *end() const { return ops_ + count_; }
    const RegisteredOps *next() const { return next_; }

private:
    RegisteredOps(const Op *ops, std::size_t count) noexcept;
    const Op *ops_;
    std::size_t count_;
    const RegisteredOps *next_;
};

}  // namespace mpt
