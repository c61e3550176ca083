#include "convert.h"

#include "isa.h"

#ifdef MPT_CPU_ISAS
#include <immintrin.h>
#endif

namespace mpt::cpu {
namespace {

using ToF32 = void (*)(const std::uint16_t *, float *, std::int64_t);
using FromF32 = void (*)(const float *, std::uint16_t *, std::int64_t);

void f16_to_f32_portable(const std::uint16_t *in, float *out, std::int64_t n) {
    for (std::int64_t i = 0; i < n; i++) out[i] = f16_to_f32(in[i]);
}

void f32_to_f16_portable(const float *in, std::uint16_t *out, std::int64_t n) {
    for (std::int64_t i = 0; i < n; i++) out[i] = f32_to_f16(in[i]);
}

void bf16_to_f32_portable(const std::uint16_t *in, float *out, std::int64_t n) {
    for (std::int64_t i = 0; i < n; i++) out[i] = bf16_to_f32(in[i]);
}

// Integer arithmetic throughout: the AVX512_BF16 instruction would flush denormals.
void f32_to_bf16_portable(const float *in, std::uint16_t *out, std::int64_t n) {
    for (std::int64_t i = 0; i < n; i++) out[i] = f32_to_bf16(in[i]);
}

#ifdef MPT_CPU_ISAS
constexpr int kNearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
constexpr __mmask16 kAll = 0xFFFF;  // the unmasked forms read an uninitialised value in GCC 12's header, which warns

__attribute__((target(MPT_CPU_AVX2))) void f16_to_f32_avx2(const std::uint16_t *in, float *out, std::int64_t n) {
    std::int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i *>(in + i))));
    for (; i < n; i++) out[i] = f16_to_f32(in[i]);
}

__attribute__((target(MPT_CPU_AVX512))) void f16_to_f32_avx512(const std::uint16_t *in, float *out, std::int64_t n) {
    std::int64_t i = 0;
    for (; i + 16 <= n; i += 16)
        _mm512_storeu_ps(out + i, _mm512_maskz_cvtph_ps(kAll, _mm256_loadu_si256(reinterpret_cast<const __m256i *>(in + i))));
    for (; i < n; i++) out[i] = f16_to_f32(in[i]);
}

// The instruction keeps a NaN's sign and payload, so NaNs are replaced afterwards.
__attribute__((target(MPT_CPU_AVX2))) void f32_to_f16_avx2(const float *in, std::uint16_t *out, std::int64_t n) {
    const __m128i nan = _mm_set1_epi16(0x7FFF);
    std::int64_t i = 0;
    for (; i + 8 <= n; i += 8) {
        const __m256 x = _mm256_loadu_ps(in + i);
        const __m256i unordered = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
        const __m128i mask = _mm_packs_epi32(_mm256_castsi256_si128(unordered), _mm256_extracti128_si256(unordered, 1));
        const __m128i half = _mm256_cvtps_ph(x, kNearest);
        _mm_storeu_si128(reinterpret_cast<__m128i *>(out + i), _mm_blendv_epi8(half, nan, mask));
    }
    for (; i < n; i++) out[i] = f32_to_f16(in[i]);
}

__attribute__((target(MPT_CPU_AVX512))) void f32_to_f16_avx512(const float *in, std::uint16_t *out, std::int64_t n) {
    const __m256i nan = _mm256_set1_epi16(0x7FFF);
    std::int64_t i = 0;
    for (; i + 16 <= n; i += 16) {
        const __m512 x = _mm512_loadu_ps(in + i);
        const __mmask16 unordered = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
        const __m256i half = _mm256_mask_mov_epi16(_mm512_maskz_cvtps_ph(kAll, x, kNearest), unordered, nan);
        _mm256_storeu_si256(reinterpret_cast<__m256i *>(out + i), half);
    }
    for (; i < n; i++) out[i] = f32_to_f16(in[i]);
}

ToF32 best_f16_to_f32() {
    return isa() == Isa::avx512 ? f16_to_f32_avx512 : isa() == Isa::avx2 ? f16_to_f32_avx2 : f16_to_f32_portable;
}
FromF32 best_f32_to_f16() {
    return isa() == Isa::avx512 ? f32_to_f16_avx512 : isa() == Isa::avx2 ? f32_to_f16_avx2 : f32_to_f16_portable;
}
#else
ToF32 best_f16_to_f32() {
    return f16_to_f32_portable;
}
FromF32 best_f32_to_f16() {
    return f32_to_f16_portable;
}
#endif

}  // namespace

void f16_row_to_f32(const std::uint16_t *in, float *out, std::int64_t n) {
    static const ToF32 function = best_f16_to_f32();
    function(in, out, n);
}

void f32_row_to_f16(const float *in, std::uint16_t *out, std::int64_t n) {
    static const FromF32 function = best_f32_to_f16();
    function(in, out, n);
}

void bf16_row_to_f32(const std::uint16_t *in, float *out, std::int64_t n) {
    static const ToF32 function = Versions<&bf16_to_f32_portable>::best();
    function(in, out, n);
}

void f32_row_to_bf16(const float *in, std::uint16_t *out, std::int64_t n) {
    static const FromF32 function = Versions<&f32_to_bf16_portable>::best();
    function(in, out, n);
}

}  // namespace mpt::cpu
