// Each op file announces its ops with one object of static storage; nothing runs at load time but a pointer's link.
#pragma once

#include "ops/emit.h"

namespace mpt {

struct RegisteredOp {
    const Op &op;
    const RegisteredOp *next;
    explicit RegisteredOp(const Op &o) noexcept;
};

}  // namespace mpt
