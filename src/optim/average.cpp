#include "optim/average.h"

#include "core/error.h"
#include "engine/shadow.h"
#include "ops/ops.h"
#include "ops/together.h"

using namespace mpt;

namespace {

std::vector<Ref<Tensor>> new_rests(const Group &group) {
    std::vector<Ref<Tensor>> rests(group.slots.size());
    if (!group.low() || group.has_masters()) return rests;
    for (std::size_t i = 0; i < rests.size(); ++i) {
        const Tensor &parameter = *group.slots[i].parameter;
        rests[i] = new_tensor(*parameter.ctx, MPT_F32, parameter.shape, parameter.strides);
        ops::fill_now(rests[i], 0);
    }
    return rests;
}

}  // namespace

mpt_average::mpt_average(mpt_optimizer &of, double rate) : ctx(of.ctx), optimizer(&of), decay(rate) {
    UpdateScope scope(*ctx);
    for (const Group &group : of.groups) {
        Part part{ops::clone(group.step), {}, {}};
        for (const Ref<Tensor> &source : sources(group)) {
            part.averages.push_back(new_tensor(*ctx, wide(source->dtype), source->shape, source->strides));
            ops::copy_into(part.averages.back(), source);
        }
        parts.push_back(std::move(part));
    }
}

std::vector<Ref<Tensor>> mpt_average::sources(const Group &group) const {
    std::vector<Ref<Tensor>> list;
    for (const Slot &slot : group.slots) list.push_back(optimizer->master(group, slot));
    return list;
}

void mpt_average::check_groups() const {
    if (optimizer->groups.size() != parts.size())
        fail(MPT_ERROR_STATE, "argument 'average' is of ", parts.size(), " groups, but its optimizer has ", optimizer->groups.size(), " by now: create the average behind the last group");
}

void mpt_average::update() {
    check_groups();
    UpdateScope scope(*ctx);
    // Masters are brought up to date before anything waits.
    std::vector<std::vector<Ref<Tensor>>> values;
    for (const Group &group : optimizer->groups) values.push_back(sources(group));
    Together together(*ctx);  // all groups or none
    for (std::size_t i = 0; i < parts.size(); ++i) ops::average(optimizer->groups[i].step, values[i], parts[i].last, parts[i].averages, decay);
    together.run();
}

void mpt_average::swap() {
    check_groups();
    UpdateScope scope(*ctx);
    std::vector<std::vector<Ref<Tensor>>> values;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const Group &group = optimizer->groups[i];
        values.push_back(sources(group));
        if (parts[i].rests.empty()) parts[i].rests = new_rests(group);
    }
    Together together(*ctx);
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const Group &group = optimizer->groups[i];
        std::vector<Ref<Tensor>> parameters;
        for (const Slot &slot : group.slots) parameters.push_back(slot.parameter);
        ops::average_swap(values[i], parts[i].averages, parts[i].rests, copy_lists(parameters, group.has_masters()));
    }
    together.run();
    for (const Group &group : optimizer->groups)
        for (const Slot &slot : group.slots) shadow::refreshed(*slot.parameter, group.has_masters());
}

void mpt_average::loaded() {
    for (Part &part : parts) part.rests.clear();
}
