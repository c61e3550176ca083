// Just enough JSON for a safetensors header: a reader that calls back for what it meets, and string quoting. The core
// must build with nothing but a compiler, so no JSON library is linked for this one flat object.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mpt {

class JsonReader {
public:
    explicit JsonReader(std::string_view text) : text_(text) {}

    // Each throws Error(MPT_ERROR_IO) with the position when the text is something else.
    void expect(char c);
    bool accept(char c);        // skips white space first
    std::string string();
    std::uint64_t number();     // a non-negative integer
    void skip_value(int depth = 0);
    void end();

private:
    [[noreturn]] void wrong(const char *wanted) const;
    void white();
    char peek();
    void append_escape(std::string &out);
    std::uint32_t hex4();

    std::string_view text_;
    std::size_t at_ = 0;
};

std::string json_quoted(std::string_view text);

}  // namespace mpt
