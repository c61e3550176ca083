// This file alone is compiled for the very machine that it runs on.
#include "peak.h"

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <thread>
#include <vector>

#if defined(__AVX512BF16__)
#include <immintrin.h>
#endif

namespace {

#if defined(__AVX512F__)
constexpr int register_bytes = 64;
#elif defined(__AVX__)
constexpr int register_bytes = 32;
#else
constexpr int register_bytes = 16;
#endif
typedef float Vector __attribute__((vector_size(register_bytes)));

// As many sums as hide the latency of two multiply-adds a cycle, and with their operands still fit in 16 registers.
constexpr int sums = 12;
constexpr int lanes = register_bytes / sizeof(float);
// Passes of a few milliseconds, and many: some escape what else the machine is doing.
constexpr long rounds = 1'000'000;
constexpr int passes = 80;

// Each returns something of its result, so that nothing is left out.
float multiply_add() {
    Vector sum[sums], factor, term;
    for (int i = 0; i < lanes; ++i) factor[i] = 0.999f, term[i] = 0.001f * static_cast<float>(i);
    for (int s = 0; s < sums; ++s) sum[s] = term + static_cast<float>(s);
    for (long round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
        for (int s = 0; s < sums; ++s) sum[s] = sum[s] * factor + term;
    }
    for (int s = 1; s < sums; ++s) sum[0] += sum[s];
    return sum[0][0];
}

#if defined(__AVX512BF16__)
constexpr bool has_bf16 = true;
float multiply_add_bf16() {
    __m512 sum[sums];
    const __m512bh a = _mm512_cvtne2ps_pbh(_mm512_set1_ps(0.5f), _mm512_set1_ps(0.25f));
    for (int s = 0; s < sums; ++s) sum[s] = _mm512_set1_ps(static_cast<float>(s));
    for (long round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
        for (int s = 0; s < sums; ++s) sum[s] = _mm512_dpbf16_ps(sum[s], a, a);
    }
    for (int s = 1; s < sums; ++s) sum[0] = _mm512_add_ps(sum[0], sum[s]);
    return sum[0][0];
}
#else
constexpr bool has_bf16 = false;
float multiply_add_bf16() {
    return multiply_add();
}
#endif

// The least time in seconds that body(thread, pass) took on all threads together.
template <class Body>
double best_seconds(int threads, const Body &body) {
    using Clock = std::chrono::steady_clock;
    std::barrier together(threads);
    double best = 1e30;
    const auto work = [&](int thread) {
        for (int pass = 0; pass < passes; ++pass) {
            together.arrive_and_wait();
            const auto start = Clock::now();
            body(thread, pass);
            together.arrive_and_wait();
            if (thread == 0) best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
        }
    };
    std::vector<std::thread> others;
    for (int thread = 1; thread < threads; ++thread) others.emplace_back(work, thread);
    work(0);
    for (std::thread &other : others) other.join();
    return best;
}

}  // namespace

Peaks measure_peaks(int threads) {
    std::vector<float> sinks(static_cast<size_t>(threads) * 16);  // a cache line each
    const double flops = 2.0 * rounds * sums * lanes * threads;
    Peaks peaks;
    peaks.gflops_f32 = flops / best_seconds(threads, [&](int t, int) { sinks[t * 16] = multiply_add(); }) / 1e9;
    peaks.gflops_bf16 = peaks.gflops_f32;
    if (has_bf16)
        peaks.gflops_bf16 = 2 * flops / best_seconds(threads, [&](int t, int) { sinks[t * 16] = multiply_add_bf16(); }) / 1e9;

    // A window that wanders over 256 MiB, so that none of it is in a cache when its turn comes.
    const size_t all = size_t{256} << 20, window = all / 8, part = window / threads;
    std::vector<char> from(all, 1), to(all, 2);
    const auto copy = [&](int t, int pass) {
        const size_t offset = window * (pass % 8) + part * t;
        std::memcpy(&to[offset], &from[offset], part);
    };
    peaks.gbytes = 2.0 * part * threads / best_seconds(threads, copy) / 1e9;

    volatile float keep = 0;
    for (float sink : sinks) keep = keep + sink;
    keep = keep + static_cast<float>(to[all / 2]);
    return peaks;
}
