#include "program/fusions/fusion.h"

#include <algorithm>
#include <utility>

namespace mpt {

bool same_form(const Tensor &a, const Tensor &b) { return a.dtype == b.dtype && a.shape == b.shape && a.strides == b.strides; }

bool same_view(const Tensor &a, const Tensor &b) { return a.storage == b.storage && a.offset == b.offset && same_form(a, b); }

Fuser::Fuser(Device &device, std::vector<Step> steps, const std::vector<Ref<Storage>> &born, const std::vector<Ref<Tensor>> &outputs)
    : device_(device), steps_(std::move(steps)) {
    for (const Ref<Storage> &s : born) temporary_.insert(s.get());
    for (const Ref<Tensor> &t : outputs) temporary_.erase(t->storage.get());
    index();
}

void Fuser::index() {
    uses_.clear();
    for (std::size_t i = 0; i < steps_.size(); ++i) {
        if (!alive(i)) continue;
        for (const Ref<Tensor> &t : steps_[i].in)
            if (t) uses_[t->storage.get()].readers.push_back(i);
        for (const Ref<Tensor> &t : steps_[i].out) {
            if (!t) continue;
            Use &use = uses_[t->storage.get()];
            // What is born in a step that updates has nothing to be read yet.
            if (steps_[i].updates && (!use.writers.empty() || !temporary_.count(t->storage.get()))) use.readers.push_back(i);
            use.writers.push_back(i);
        }
    }
}

std::optional<std::size_t> Fuser::maker(const Tensor &t) const {
    if (!temporary_.count(t.storage.get())) return std::nullopt;
    const std::vector<std::size_t> &writers = uses_.at(t.storage.get()).writers;
    if (writers.size() != 1) return std::nullopt;
    for (const Ref<Tensor> &out : steps_[writers[0]].out)
        if (out && same_view(*out, t)) return writers[0];
    return std::nullopt;
}

const std::vector<std::size_t> &Fuser::readers(const Tensor &t) const { return uses_.at(t.storage.get()).readers; }

bool Fuser::written(const Tensor &t, std::size_t after, std::size_t before) const {
    const std::vector<std::size_t> &writers = uses_.at(t.storage.get()).writers;
    return std::any_of(writers.begin(), writers.end(), [&](std::size_t i) { return i > after && i < before; });
}

// May a part not change places with a step?
bool Fuser::in_the_way(std::size_t step, std::size_t part) const {
    const auto touches = [](const std::vector<Ref<Tensor>> &list, const Storage &storage) {
        return std::any_of(list.begin(), list.end(), [&](const Ref<Tensor> &t) { return t && t->storage.get() == &storage; });
    };
    for (const Ref<Tensor> &t : steps_[part].in)
        if (t && touches(steps_[step].out, *t->storage)) return true;
    for (const Ref<Tensor> &t : steps_[part].out)
        if (t && (touches(steps_[step].out, *t->storage) || touches(steps_[step].in, *t->storage))) return true;
    return false;
}

bool Fuser::replace(const std::vector<std::size_t> &parts, std::size_t at, const FusedCall &call) {
    for (const std::size_t part : parts)
        for (std::size_t i = std::min(part, at) + 1; i < std::max(part, at); ++i)
            if (alive(i) && std::find(parts.begin(), parts.end(), i) == parts.end() && in_the_way(i, part)) return false;

    Step step{call.op, nullptr, call.in, call.out, call.updates, steps_[at].role, steps_[at].layer, call.attrs, call.in_forms, call.out_forms};
    step.kernel = device_.try_prepare({call.op->kernel, call.in_forms, call.out_forms, step.attrs.data(), step.attrs.size()});
    if (!step.kernel) return false;
    for (const std::size_t part : parts) steps_[part] = {};
    steps_[at] = std::move(step);
    index();
    return true;
}

std::vector<Step> Fuser::take() {
    steps_.erase(std::remove_if(steps_.begin(), steps_.end(), [](const Step &s) { return !s.op; }), steps_.end());
    return std::move(steps_);
}

}  // namespace mpt
