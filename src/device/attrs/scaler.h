/* Loss scaling. The conventions are in README.md beside this file. */
#ifndef MPT_DEVICE_ATTRS_SCALER_H
#define MPT_DEVICE_ATTRS_SCALER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "scaler_update": in[0..n) found of each optimizer; out[0] scale f32, out[1] tracker i32[2] {good iterations since the last growth or
 * bad one, bad ones still forgiven}, out[2] i64[3] {good, bad, at_minimum}; all read and written. An iteration is bad when one found is not 0.
 *   Backing off: scale = float(double(scale) * backoff), never under min when min > 0 (counted in at_minimum where that held it).
 *   Growing: scale = float(double(scale) * growth) if that is finite, never over max when max > 0.
 * Each bad iteration sets tracker[0] = 0, each good one adds 1; when that reaches interval the scale grows and tracker[0] = 0. By kind:
 *   STATIC      only the counts move.
 *   TORCH       every bad iteration backs off [torch._amp_update_scale_].
 *   HYSTERESIS  a bad one takes 1 from tracker[1] (not under 0) and backs off where 0 is left; a good one sets it to hysteresis
 *               [apex, update_scale_hysteresis].
 *   MEGATRON    the same, but only a growth sets it to hysteresis [Megatron-LM, DynamicGradScaler]. */
typedef struct mpt_attrs_scaler {
    double growth;
    double backoff;
    double minimum;
    double maximum;
    int64_t interval;
    int32_t kind; /* mpt_scaler_kind */
    int32_t hysteresis;
} mpt_attrs_scaler;

#ifdef __cplusplus
}
#endif

#endif
