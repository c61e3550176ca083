// Several versions of one function for different instruction sets, chosen when a kernel is prepared. A generic
// build thereby uses AVX2 or AVX-512 where the machine has them; other architectures have one version.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__)
#define MPT_CPU_ISAS 1
// Feature lists, not arch=: inlining into a function of another arch= is refused.
#define MPT_CPU_AVX2 "avx,avx2,fma,f16c,bmi,bmi2,lzcnt,popcnt"
#define MPT_CPU_AVX512 MPT_CPU_AVX2 ",avx512f,avx512bw,avx512vl,avx512dq,avx512cd"
#endif

// The iterations of the next loop do not depend on each other, though two of its pointers may be equal (in place).
#if defined(__clang__)
#define MPT_CPU_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define MPT_CPU_INDEPENDENT _Pragma("GCC ivdep")
#else
#define MPT_CPU_INDEPENDENT
#endif

namespace mpt::cpu {

enum class Isa { base, avx2, avx512 };

inline Isa isa() {
#ifdef MPT_CPU_ISAS
    static const Isa found = [] {
        __builtin_cpu_init();
        // Compilers do not know all names here; every processor with AVX2 has the rest of the list.
        if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("bmi2")) return Isa::base;
        const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                          __builtin_cpu_supports("avx512cd");
        return wide ? Isa::avx512 : Isa::avx2;
    }();
    return found;
#else
    return Isa::base;
#endif
}

// Versions<&f>::best(): f compiled for this machine, with all that it calls inlined. f's arithmetic is the same in
// each version (contraction is off), so the choice does not change a bit.
template <auto F>
struct Versions;

template <class R, class... A, R (*F)(A...)>
struct Versions<F> {
    using Function = R (*)(A...);

#ifdef MPT_CPU_ISAS
    __attribute__((target(MPT_CPU_AVX2), flatten)) static R avx2(A... a) {
        return F(a...);
    }
    __attribute__((target(MPT_CPU_AVX512), flatten)) static R avx512(A... a) {
        return F(a...);
    }
#endif

    static Function best() {
#ifdef MPT_CPU_ISAS
        if (isa() == Isa::avx512) return &avx512;
        if (isa() == Isa::avx2) return &avx2;
#endif
        return F;
    }
};

}  // namespace mpt::cpu
