#include "gemm_micro.h"

#include <utility>

#include "isa.h"

#if defined(MPT_CPU_ISAS)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace mpt::cpu {
namespace {

namespace base {
#define MICRO_TARGET
#define MICRO_BYTES 16
#if defined(__aarch64__)
inline float32x4_t fma(float32x4_t a, float32x4_t b, float32x4_t c) {
    return vfmaq_f32(c, a, b);
}
inline float64x2_t fma(float64x2_t a, float64x2_t b, float64x2_t c) {
    return vfmaq_f64(c, a, b);
}
#define MICRO_ROWS 12
#define MICRO_FMA 1
#else
#define MICRO_ROWS 6
#define MICRO_FMA 0
#endif
#include "gemm_micro.inl"
}  // namespace base

#ifdef MPT_CPU_ISAS
namespace avx2 {
#define MICRO_TARGET __attribute__((target(MPT_CPU_AVX2)))
#define MICRO_BYTES 32
#define MICRO_ROWS 6
#define MICRO_FMA 1
MICRO_TARGET inline __m256 fma(__m256 a, __m256 b, __m256 c) {
    return _mm256_fmadd_ps(a, b, c);
}
MICRO_TARGET inline __m256d fma(__m256d a, __m256d b, __m256d c) {
    return _mm256_fmadd_pd(a, b, c);
}
#include "gemm_micro.inl"
}  // namespace avx2

namespace avx512 {
#define MICRO_TARGET __attribute__((target(MPT_CPU_AVX512)))
#define MICRO_BYTES 64
#define MICRO_ROWS 12
#define MICRO_FMA 1
MICRO_TARGET inline __m512 fma(__m512 a, __m512 b, __m512 c) {
    return _mm512_fmadd_ps(a, b, c);
}
MICRO_TARGET inline __m512d fma(__m512d a, __m512d b, __m512d c) {
    return _mm512_fmadd_pd(a, b, c);
}
#include "gemm_micro.inl"
}  // namespace avx512
#endif

}  // namespace

template <class T>
const Micro<T> &best_micro() {
#ifdef MPT_CPU_ISAS
    if (isa() == Isa::avx512) return avx512::micro<T>();
    if (isa() == Isa::avx2) return avx2::micro<T>();
#endif
    return base::micro<T>();
}

template const Micro<float> &best_micro<float>();
template const Micro<double> &best_micro<double>();

}  // namespace mpt::cpu
