// What nvcc knows and other compilers do not, as far as the kernels that are emulated need it, for sources that plain.py has made
// plain.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>
#include <cuda_runtime.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "threads.h"

#undef __shared__
#undef __launch_bounds__
#undef __grid_constant__
#undef __noinline__
#undef __forceinline__
#define __shared__ static  // blocks run one by one
#define __launch_bounds__(...)
#define __grid_constant__
#define __noinline__
#define __forceinline__ inline

extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;

inline void __syncthreads() {
    emulation::barrier();
}
inline int __syncthreads_or(int vote) {
    return emulation::barrier(vote != 0);
}

namespace emulation {
template <class T>
T taken_from(unsigned lanes, unsigned from, T given) {
    T taken;
    exchange(lanes, from, &given, &taken, sizeof given);
    return taken;
}
}  // namespace emulation
template <class T>
T __shfl_sync(unsigned lanes, T x, int from) {
    return emulation::taken_from(lanes, static_cast<unsigned>(from), x);
}
template <class T>
T __shfl_xor_sync(unsigned lanes, T x, int distance) {
    return emulation::taken_from(lanes, emulation::lane() ^ static_cast<unsigned>(distance), x);
}
template <class T>
T __shfl_up_sync(unsigned lanes, T x, unsigned distance) {
    const unsigned lane = emulation::lane();
    return emulation::taken_from(lanes, lane >= distance ? lane - distance : lane, x);
}
inline int __any_sync(unsigned lanes, int vote) {
    int any = 0;
    for (int l = 0; l < 32; ++l)
        if (lanes >> l & 1) any |= __shfl_sync(lanes, vote != 0 ? 1 : 0, l);
    return any;
}

template <class T>
T __ldcs(const T *at) {
    return *at;
}
template <class T>
void __stcs(T *at, const T &x) {
    *at = x;
}

inline float __uint_as_float(unsigned bits) {
    float x;
    std::memcpy(&x, &bits, sizeof x);
    return x;
}
inline unsigned __float_as_uint(float x) {
    unsigned bits;
    std::memcpy(&bits, &x, sizeof bits);
    return bits;
}
inline unsigned __umulhi(unsigned a, unsigned b) {
    return static_cast<unsigned>(static_cast<std::uint64_t>(a) * b >> 32);
}
inline float __fadd_rn(float a, float b) {
    return a + b;
}
inline float __fsub_rn(float a, float b) {
    return a - b;
}
inline float __fmul_rn(float a, float b) {
    return a * b;
}
inline float __fdiv_rn(float a, float b) {
    return a / b;
}
inline float __fsqrt_rn(float a) {
    return std::sqrt(a);
}
inline float __fmaf_rn(float a, float b, float c) {
    return std::fma(a, b, c);
}
inline double rsqrt(double x) {
    return 1 / std::sqrt(x);
}
inline double __dmul_rn(double a, double b) {
    return a * b;
}
inline double __dadd_rn(double a, double b) {
    return a + b;
}
inline void sincospif(float x, float *s, float *c) {
    const double turned = static_cast<double>(x) * 3.14159265358979323846;
    *s = static_cast<float>(std::sin(turned));
    *c = static_cast<float>(std::cos(turned));
}
inline bool __isGlobal(const void *) {
    return true;
}
#define __builtin_assume(what) static_cast<void>(0)

// The runtime takes kernels as functions of C.
template <class F>
cudaError_t cudaFuncSetAttribute(F *kernel, cudaFuncAttribute attribute, int value) {
    return cudaFuncSetAttribute(reinterpret_cast<const void *>(kernel), attribute, value);
}
template <class F>
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes *attributes, F *kernel) {
    return cudaFuncGetAttributes(attributes, reinterpret_cast<const void *>(kernel));
}
template <class A, class B>
auto min(A a, B b) {
    using C = std::common_type_t<A, B>;
    return static_cast<C>(a) < static_cast<C>(b) ? static_cast<C>(a) : static_cast<C>(b);
}
template <class A, class B>
auto max(A a, B b) {
    using C = std::common_type_t<A, B>;
    return static_cast<C>(a) > static_cast<C>(b) ? static_cast<C>(a) : static_cast<C>(b);
}
using std::isfinite;
using std::isinf;
using std::isnan;
