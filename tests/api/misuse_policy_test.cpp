// Policies that choose precision, and autocast.
#include "api/misuse.h"

namespace {

constexpr mpt_dtype kUnknown = static_cast<mpt_dtype>(99);

struct Fp8 {
    static constexpr const char *function = "mpt_policy_set_fp8", *argument = "desc";
    static mpt_fp8_desc good() {
        mpt_fp8_desc d;
        MUST(mpt_fp8_desc_init(&d, sizeof d));
        return d;
    }
    static mpt_status use(misuse::World &w, const mpt_fp8_desc *d) { return mpt_policy_set_fp8(w.policy, d); }
};

const misuse::Rows rows{
    ROW(Null, "ctx", "", mpt_policy_create, nullptr, MPT_F16, w.out()),
    ROW(Null, "out", "", mpt_policy_create, w.ctx, MPT_F16, nullptr),
    ROW(Dtype, "dtype", "is i32", mpt_policy_create, w.ctx, MPT_I32, w.out()),
    ROW(Dtype, "dtype", "is f64", mpt_policy_create, w.ctx, MPT_F64, w.out()),
    ROW(Dtype, "dtype", "is 99", mpt_policy_create, w.ctx, kUnknown, w.out()),
    ROW(Null, "policy", "", mpt_policy_set_layer, nullptr, "*", MPT_F32),
    ROW(Null, "pattern", "", mpt_policy_set_layer, w.policy, nullptr, MPT_F32),
    ROW(Dtype, "dtype", "is 0", mpt_policy_set_layer, w.policy, "*", MPT_DTYPE_NONE),
    ROW(Dtype, "dtype", "is f8e5m2", mpt_policy_set_layer, w.policy, "*", MPT_F8E5M2),
    ROW(Taken, "dtype", "", mpt_policy_set_layer, w.policy, "*", MPT_F8E4M3),
    ROW(Null, "policy", "", mpt_policy_set_op, nullptr, "matmul", MPT_F32),
    ROW(Null, "op", "", mpt_policy_set_op, w.policy, nullptr, MPT_F32),
    ROW_IS(MPT_ERROR_NOT_FOUND, "op", "'warp'", mpt_policy_set_op, w.policy, "warp", MPT_F32),
    ROW(Dtype, "dtype", "is u8", mpt_policy_set_op, w.policy, "matmul", MPT_U8),
    ROW(Null, "policy", "", mpt_policy_set_role, nullptr, MPT_ROLE_FORWARD, MPT_F32),
    ROW(Range, "role", "is 3", mpt_policy_set_role, w.policy, static_cast<mpt_role>(3), MPT_F32),
    ROW(Range, "role", "is -1", mpt_policy_set_role, w.policy, static_cast<mpt_role>(-1), MPT_F32),
    ROW(Dtype, "dtype", "is -7", mpt_policy_set_role, w.policy, MPT_ROLE_FORWARD, static_cast<mpt_dtype>(-7)),
    ROW(Null, "policy", "", mpt_policy_describe, nullptr, w.out(), 16, w.out()),
    TEXT_ROWS(mpt_policy_describe, w.policy),

    ROW(Null, "ctx", "", mpt_autocast_begin, nullptr, w.policy),
    ROW(Taken, "policy", "", mpt_autocast_begin, w.ctx, nullptr),
    ROW(Foreign, "policy", "", mpt_autocast_begin, w.ctx, w.other.policy),
    ROW(Null, "ctx", "", mpt_autocast_end, nullptr),
    ROW(State, "", "mpt_autocast_begin", mpt_autocast_end, w.ctx),

    INIT_ROWS(mpt_fp8_desc_init, "desc"),
    ROW(Null, "policy", "", mpt_policy_set_fp8, nullptr, nullptr),
    ROW(Taken, "desc", "", mpt_policy_set_fp8, w.policy, nullptr),
    DESCRIPTOR_ROWS(Fp8),
    FIELD(Fp8, Range, "recipe is 3", d.recipe = static_cast<mpt_fp8_recipe>(3)),
    FIELD(Fp8, Range, "recipe is -1", d.recipe = static_cast<mpt_fp8_recipe>(-1)),
    FIELD(Fp8, Range, "history is 0", d.history = 0),
    FIELD(Fp8, Range, "margin is 33", d.margin = 33),
    FIELD(Fp8, Range, "margin is -33", d.margin = -33),
    FIELD(Fp8, Dtype, "forward is f16", d.forward = MPT_F16),
    FIELD(Fp8, Dtype, "backward is 99", d.backward = kUnknown),

    ROW(Null, "state", "", mpt_state_add_fp8, nullptr, "fp8", w.policy, w.chain),
    ROW(Taken, "prefix", "", mpt_state_add_fp8, w.state, nullptr, w.policy, w.chain),
    ROW(Null, "policy", "", mpt_state_add_fp8, w.state, "fp8", nullptr, w.chain),
    ROW(Foreign, "policy", "", mpt_state_add_fp8, w.state, "fp8", w.other.policy, w.chain),
    ROW(Null, "layer", "", mpt_state_add_fp8, w.state, "fp8", w.policy, nullptr),
    ROW(Foreign, "layer", "", mpt_state_add_fp8, w.state, "fp8", w.policy, w.other.chain),
    STEPS("mpt_state_add_fp8", Range, "prefix", "'fp8.head.weight.input_history'", auto d = Fp8::good(); d.recipe = MPT_FP8_DELAYED;
          MUST(mpt_policy_set_fp8(w.policy, &d)); MUST(mpt_state_add_fp8(w.state, "fp8", w.policy, w.chain));
          return mpt_state_add_fp8(w.state, "fp8", w.policy, w.chain)),
    ROW(Capture, "", "", mpt_state_add_fp8, w.state, "fp8", w.policy, w.chain),
};

}  // namespace
