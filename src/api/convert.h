// Public parameter structs, checked and turned into the attributes that ops take.
#pragma once

#include "api/guard.h"
#include "device/attrs.h"

namespace mpt::api {

mpt_conv2d_params default_conv2d();
mpt_pool2d_params default_pool2d();
mpt_attrs_conv2d conv2d_attrs(const mpt_conv2d_params *params, const char *name = "params");
mpt_attrs_pool2d pool2d_attrs(const mpt_pool2d_params *params);

}  // namespace mpt::api
