// What optimizers, loss scalers, schedules and averages emit: updates in place of operands that live outside of the graph.
#pragma once

#include <vector>

#include "ops/emit.h"

struct mpt_attrs_sgd;  // device/attrs/
struct mpt_attrs_adam;
struct mpt_attrs_adagrad;
struct mpt_attrs_adadelta;
struct mpt_attrs_rmsprop;
struct mpt_attrs_scaler;
struct mpt_attrs_schedule;

namespace mpt::ops {

inline void append(std::vector<Ref<Tensor>> &list, const std::vector<Ref<Tensor>> &more) { list.insert(list.end(), more.begin(), more.end()); }

// optimizer.cpp
// clipped: the norm with each value within [-max_value, max_value]; may be absent. scale: may be absent.
void grad_norm(const Ref<Tensor> &scale, const std::vector<Ref<Tensor>> &grads, const Ref<Tensor> &found, const Ref<Tensor> &norm,
               const Ref<Tensor> &clipped, double max_value);
void unscale(const Ref<Tensor> &scale, const std::vector<Ref<Tensor>> &grads);

struct UpdateOperands {
    Ref<Tensor> lr, found, scale, norm, step, counts, rate, random;  // found, scale, norm, random may be absent
    std::vector<Ref<Tensor>> grads, parameters;
    // Lists of grads.size(), one behind the other; copies that are absent are null.
    std::vector<Ref<Tensor>> states, compensations, copies;
};
// The numbers of operands in the attributes are filled in here.
void sgd(const UpdateOperands &operands, const mpt_attrs_sgd &attrs);
void adam(const UpdateOperands &operands, const mpt_attrs_adam &attrs);
void lamb(const UpdateOperands &operands, const mpt_attrs_adam &attrs);
void adagrad(const UpdateOperands &operands, const mpt_attrs_adagrad &attrs);
void adadelta(const UpdateOperands &operands, const mpt_attrs_adadelta &attrs);
void rmsprop(const UpdateOperands &operands, const mpt_attrs_rmsprop &attrs);

// schedule.cpp
Ref<Tensor> schedule(const Ref<Tensor> &base, const Ref<Tensor> &step, const mpt_attrs_schedule &attrs);

// average.cpp
void average(const Ref<Tensor> &step, const std::vector<Ref<Tensor>> &parameters, const Ref<Tensor> &last, const std::vector<Ref<Tensor>> &averages,
             double decay);
// rests: null ones where the parameter has its average's type. copies: lists of parameters.size().
void average_swap(const std::vector<Ref<Tensor>> &parameters, const std::vector<Ref<Tensor>> &averages, const std::vector<Ref<Tensor>> &rests,
                  const std::vector<Ref<Tensor>> &copies);

// scaler.cpp
void scaler_update(const std::vector<Ref<Tensor>> &found, const Ref<Tensor> &scale, const Ref<Tensor> &tracker, const Ref<Tensor> &counts,
                   const mpt_attrs_scaler &attrs);

}  // namespace mpt::ops
