#include <cmath>

#include "api/convert.h"
#include "api/guard.h"
#include "ops/loss.h"

using namespace mpt;

namespace {

mpt_reduction checked(mpt_reduction reduction) {
    if (reduction < MPT_REDUCTION_MEAN || reduction > MPT_REDUCTION_BATCH_MEAN)
        fail(MPT_ERROR_ARGUMENT, "argument 'reduction' is ", static_cast<int>(reduction), ", which is none of mpt_reduction");
    return reduction;
}

// A number that a loss takes, of the function's argument `name`; the comparison is false for NaN.
double at_least(double value, double least, const char *name) {
    if (!(value >= least && std::isfinite(value)))
        fail(MPT_ERROR_ARGUMENT, "argument '", name, "' is ", value, ": it is a number of at least ", least);
    return value;
}
double finite(double value, const char *name) {
    if (!std::isfinite(value)) fail(MPT_ERROR_ARGUMENT, "argument '", name, "' is ", value, ": give a finite number");
    return value;
}

mpt_cross_entropy_params default_cross_entropy() {
    mpt_cross_entropy_params p = {};
    p.struct_size = sizeof p;
    p.ignore_index = -100;
    return p;
}

struct ClassLoss {
    mpt_attrs_cross_entropy attrs;
    Ref<Tensor> weight;
};
ClassLoss class_loss(Context &c, const mpt_cross_entropy_params *params) {
    const mpt_cross_entropy_params p = api::read_desc(params, default_cross_entropy(), "params");
    ClassLoss loss;
    api::about("argument 'params'", [&] {
        checked(p.reduction);
        if (!(p.label_smoothing >= 0 && p.label_smoothing <= 1))
            fail(MPT_ERROR_ARGUMENT, "label_smoothing is ", p.label_smoothing, ": it is from 0 to 1");
        if (p.weight) loss.weight = api::tensor(c, p.weight, "weight");
    });
    loss.attrs = {p.reduction, p.ignore_index, p.label_smoothing};
    return loss;
}

// A loss of each element of two tensors. parameter() is checked inside of the call.
template <class F>
mpt_status pointwise(const char *function, mpt_tensor *first, const char *name, mpt_tensor *target, int kind,
                     mpt_reduction reduction, mpt_tensor **out, F &&parameter) {
    return api::call(function, first, name, [&](Context &c) {
        api::need(out, "out");
        const Ref<Tensor> x = api::tensor(c, first, name), y = api::tensor(c, target, "target");
        const double value = parameter();
        *out = ops::pointwise_loss(x, y, kind, checked(reduction), value).detach();
    });
}
double none() {
    return 0;
}

}  // namespace

mpt_status MPT_CALL mpt_cross_entropy_params_init(mpt_cross_entropy_params *params, size_t nbytes) {
    return api::catching("mpt_cross_entropy_params_init", nullptr,
                         [&] { api::init_desc(params, nbytes, default_cross_entropy(), "params"); });
}

mpt_status MPT_CALL mpt_cross_entropy(mpt_tensor *logits, mpt_tensor *target, const mpt_cross_entropy_params *params,
                                      mpt_tensor **out) {
    return api::call("mpt_cross_entropy", logits, "logits", [&](Context &c) {
        api::need(out, "out");
        const Ref<Tensor> x = api::tensor(c, logits, "logits"), y = api::tensor(c, target, "target");
        const ClassLoss loss = class_loss(c, params);
        *out = ops::cross_entropy(x, y, loss.weight, loss.attrs).detach();
    });
}

mpt_status MPT_CALL mpt_nll(mpt_tensor *log_probabilities, mpt_tensor *target, const mpt_cross_entropy_params *params,
                            mpt_tensor **out) {
    return api::call("mpt_nll", log_probabilities, "log_probabilities", [&](Context &c) {
        api::need(out, "out");
        const Ref<Tensor> x = api::tensor(c, log_probabilities, "log_probabilities"), y = api::tensor(c, target, "target");
        const ClassLoss loss = class_loss(c, params);
        if (loss.attrs.smoothing != 0)
            fail(MPT_ERROR_ARGUMENT, "argument 'params': label_smoothing is ", loss.attrs.smoothing,
                 ": mpt_nll takes 0 only, use mpt_cross_entropy");
        *out = ops::nll(x, y, loss.weight, loss.attrs).detach();
    });
}

mpt_status MPT_CALL mpt_mse(mpt_tensor *prediction, mpt_tensor *target, mpt_reduction reduction, mpt_tensor **out) {
    return pointwise("mpt_mse", prediction, "prediction", target, MPT_LOSS_MSE, reduction, out, none);
}
mpt_status MPT_CALL mpt_l1(mpt_tensor *prediction, mpt_tensor *target, mpt_reduction reduction, mpt_tensor **out) {
    return pointwise("mpt_l1", prediction, "prediction", target, MPT_LOSS_L1, reduction, out, none);
}
mpt_status MPT_CALL mpt_huber(mpt_tensor *prediction, mpt_tensor *target, double delta, mpt_reduction reduction, mpt_tensor **out) {
    return pointwise("mpt_huber", prediction, "prediction", target, MPT_LOSS_HUBER, reduction, out, [&] {
        if (!(delta > 0 && std::isfinite(delta)))
            fail(MPT_ERROR_ARGUMENT, "argument 'delta' is ", delta, ": it is a number above 0");
        return delta;
    });
}
mpt_status MPT_CALL mpt_bce_with_logits(mpt_tensor *logits, mpt_tensor *target, double positive_weight, mpt_reduction reduction,
                                        mpt_tensor **out) {
    return pointwise("mpt_bce_with_logits", logits, "logits", target, MPT_LOSS_BCE_LOGITS, reduction, out,
                     [&] { return at_least(positive_weight, 0, "positive_weight"); });
}
mpt_status MPT_CALL mpt_kl_div(mpt_tensor *log_prediction, mpt_tensor *target, mpt_reduction reduction, mpt_tensor **out) {
    return pointwise("mpt_kl_div", log_prediction, "log_prediction", target, MPT_LOSS_KL, reduction, out, none);
}
mpt_status MPT_CALL mpt_hinge(mpt_tensor *prediction, mpt_tensor *target, double margin, mpt_reduction reduction,
                              mpt_tensor **out) {
    return pointwise("mpt_hinge", prediction, "prediction", target, MPT_LOSS_HINGE, reduction, out,
                     [&] { return finite(margin, "margin"); });
}

mpt_status MPT_CALL mpt_cosine_similarity(mpt_tensor *a, mpt_tensor *b, int32_t dim, double eps, mpt_tensor **out) {
    return api::call("mpt_cosine_similarity", a, "a", [&](Context &c) {
        api::need(out, "out");
        const Ref<Tensor> left = api::tensor(c, a, "a"), right = api::tensor(c, b, "b");
        const int at = api::dimension(*left, dim, "dim", "a");
        *out = ops::cosine_similarity(left, right, at, at_least(eps, 0, "eps")).detach();
    });
}

mpt_status MPT_CALL mpt_cosine_embedding(mpt_tensor *a, mpt_tensor *b, mpt_tensor *target, double margin, mpt_reduction reduction,
                                         mpt_tensor **out) {
    return api::call("mpt_cosine_embedding", a, "a", [&](Context &c) {
        api::need(out, "out");
        const Ref<Tensor> left = api::tensor(c, a, "a"), right = api::tensor(c, b, "b"), sign = api::tensor(c, target, "target");
        *out = ops::cosine_embedding(left, right, sign, finite(margin, "margin"), checked(reduction)).detach();
    });
}

mpt_status MPT_CALL mpt_ctc(mpt_tensor *log_probabilities, mpt_tensor *targets, mpt_tensor *input_lengths,
                            mpt_tensor *target_lengths, int64_t blank, mpt_reduction reduction, int32_t zero_infinity,
                            mpt_tensor **out) {
    return api::call("mpt_ctc", log_probabilities, "log_probabilities", [&](Context &c) {
        api::need(out, "out");
        const Ref<Tensor> x = api::tensor(c, log_probabilities, "log_probabilities"), labels = api::tensor(c, targets, "targets");
        const Ref<Tensor> times = api::tensor(c, input_lengths, "input_lengths"),
                          counts = api::tensor(c, target_lengths, "target_lengths");
        *out =
            ops::ctc(x, labels, times, counts, blank, checked(reduction), api::flag(zero_infinity, "zero_infinity") != 0).detach();
    });
}
