// The floating point environment that mpt computes in. A host may have switched denormals off (-ffast-math does)
// or changed the rounding mode; results must not depend on it.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace mpt {

class FloatEnv {
public:
    FloatEnv() : saved_(get()) { set(kDefault); }
    ~FloatEnv() { set(saved_); }
    FloatEnv(const FloatEnv &) = delete;
    FloatEnv &operator=(const FloatEnv &) = delete;

private:
#if defined(__x86_64__)
    using Word = unsigned;
    static constexpr Word kDefault = 0x1f80;  // MXCSR: nearest even, denormals kept, exceptions masked
    static Word get() { return _mm_getcsr(); }
    static void set(Word word) { _mm_setcsr(word); }
#elif defined(__aarch64__)
    using Word = std::uint64_t;
    static constexpr Word kDefault = 0;  // FPCR
    static Word get() {
        Word word;
        asm volatile("mrs %0, fpcr" : "=r"(word));
        return word;
    }
    static void set(Word word) { asm volatile("msr fpcr, %0" : : "r"(word)); }
#else
    using Word = int;
    static constexpr Word kDefault = 0;
    static Word get() { return 0; }
    static void set(Word) {}
#endif
    Word saved_;
};

}  // namespace mpt
