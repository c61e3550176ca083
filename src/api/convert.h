// Public parameter structs, checked and turned into the attributes that ops take.
#pragma once

#include "api/guard.h"
#include "device/attrs.h"

namespace mpt::api {

mpt_conv2d_params default_conv2d();
mpt_pool2d_params default_pool2d();
mpt_attrs_conv2d conv2d_attrs(const mpt_conv2d_params *params);
mpt_attrs_pool2d pool2d_attrs(const mpt_pool2d_params *params);

inline void at_least(std::int64_t value, std::int64_t least, const char *field) {
    if (value < least) fail(MPT_ERROR_ARGUMENT, "field '", field, "' is ", value, ": it must be at least ", least);
}

}  // namespace mpt::api
