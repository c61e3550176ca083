// An f32 whose operations are rounded one by one and never contracted, so that updates have the CPU's bits.
#pragma once

namespace mpt::cuda {

struct Single {
    float value;

    Single() = default;
    __device__ __forceinline__ Single(float x) : value(x) {}
    __device__ __forceinline__ friend Single operator+(Single a, Single b) { return __fadd_rn(a.value, b.value); }
    __device__ __forceinline__ friend Single operator-(Single a, Single b) { return __fsub_rn(a.value, b.value); }
    __device__ __forceinline__ friend Single operator*(Single a, Single b) { return __fmul_rn(a.value, b.value); }
    __device__ __forceinline__ friend Single operator/(Single a, Single b) { return __fdiv_rn(a.value, b.value); }
    __device__ __forceinline__ friend Single sqrt(Single a) { return __fsqrt_rn(a.value); }
    __device__ __forceinline__ friend bool operator<(Single a, Single b) { return a.value < b.value; }
    __device__ __forceinline__ friend bool operator!=(Single a, Single b) { return a.value != b.value; }
};

}  // namespace mpt::cuda
