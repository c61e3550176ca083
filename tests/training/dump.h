// A program's text.
#pragma once

#include "net.h"

namespace net {

inline std::string dump(const mpt_program *program) {
    std::size_t needed = 0;
    MUST(mpt_program_dump(program, nullptr, 0, &needed));
    std::string text(needed, '\0');
    MUST(mpt_program_dump(program, text.data(), text.size(), nullptr));
    return text;
}

}  // namespace net
