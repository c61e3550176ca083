// Checks that the functions of optimizers, schedules and averages share.
#pragma once

#include <cmath>

#include "api/guard.h"

namespace mpt::api {

// name: with whose it is, as in "argument 'desc': lr"
inline void not_negative(double value, const char *name) {
    if (!(value >= 0) || !std::isfinite(value)) fail(MPT_ERROR_ARGUMENT, name, " is ", value, ": it must be finite and not negative");
}

// Rates are kept in f32 on the device.
inline void rate(double value, const char *name) {
    not_negative(value, name);
    if (!std::isfinite(static_cast<float>(value))) fail(MPT_ERROR_ARGUMENT, name, " is ", value, ", which is no f32 number");
}

// The share that an average keeps of what it was.
inline void share(double value, const char *name) {
    if (!(value >= 0 && value < 1)) fail(MPT_ERROR_ARGUMENT, name, " is ", value, ": it must be in [0, 1)");
}

}  // namespace mpt::api
