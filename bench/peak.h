// What the machine can do, measured: the ceilings beside which ops are shown.
#ifndef MPT_BENCH_PEAK_H
#define MPT_BENCH_PEAK_H

struct Peaks {
    double gflops_f32;   // multiply-adds of f32 in registers
    double gflops_bf16;  // products of pairs of bf16 with sums in f32, where the machine has the instruction; else as f32
    double gbytes;       // a copy of 256 MiB, bytes read and bytes written
};

// The best of several short passes on that many threads at once.
Peaks measure_peaks(int threads);

#endif
