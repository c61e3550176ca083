/* Learning-rate schedules. The conventions are in README.md beside this file. */
#ifndef MPT_DEVICE_ATTRS_SCHEDULE_H
#define MPT_DEVICE_ATTRS_SCHEDULE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "schedule": in[0] the base rate, f32 ndim 0; in[1] step count, i64 ndim 0; out[0] f32 ndim 0, the base rate times a factor, computed in
 * double and rounded once. With t the count (the first step has 0), W = warmup_steps, N = total_steps, f = final_factor and
 * cosine(a, b, x) = b + (a - b) * (1 + cos(pi x)) / 2, a at x = 0 and b at x >= 1:
 *   t < W, but for ONE_CYCLE: (t + 1) / W                       [torch LinearLR(start_factor=1/W, total_iters=W-1)]
 *   CONSTANT   1
 *   STEP       gamma ^ floor((t - W) / interval)                 [torch StepLR]
 *   COSINE     cosine(1, f, (t - W) / (N - W))                   [torch CosineAnnealingLR(T_max=N-W, eta_min=f*base)]
 *   LINEAR     1 + (f - 1) * (t - W) / (N - W), f from N on      [torch LinearLR(start_factor=1, end_factor=f, total_iters=N-W)]
 *   ONE_CYCLE  t < W - 1: cosine(1/25, 1, t / (W - 1)); else cosine(1, f, (t - (W - 1)) / (N - W))
 *              [torch OneCycleLR(max_lr=base, total_steps=N, pct_start=W/N, div_factor=25, final_div_factor=1/(25f))]
 * Behind its end a schedule stays at its last value; a torch scheduler is stepped once after each step of the optimizer. */
typedef struct mpt_attrs_schedule {
    int64_t kind; /* mpt_schedule_kind */
    int64_t warmup_steps;
    int64_t total_steps;
    int64_t interval;
    double gamma;
    double final_factor;
} mpt_attrs_schedule;

#ifdef __cplusplus
}
#endif

#endif
