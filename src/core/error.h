// Failures travel as exceptions inside the library and become a status at the C boundary.
#pragma once

#include <sstream>
#include <string>

#include "mpt.h"

namespace mpt {

struct Error {
    mpt_status status;
    std::string message;
};

// fail(MPT_ERROR_SHAPE, "argument 'b' has shape ", shape, ...): what was wrong, which values, what to do.
template <class... Parts>
[[noreturn]] void fail(mpt_status status, const Parts &...parts) {
    std::ostringstream text;
    (text << ... << parts);
    throw Error{status, text.str()};
}

}  // namespace mpt
