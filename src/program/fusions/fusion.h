// Several steps of a program as one kernel. A fusion is a pattern: a function that is called with every step as the pattern's last,
// in order, proposes a call of a kernel of device/attrs/fused.h, and leaves the rest to Fuser. The device may refuse.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "program/recording.h"

namespace mpt {

// The call that takes the place of some steps. Forms are those of the kernel, tensors what they lie in.
struct FusedCall {
    const Op *op;
    std::vector<Ref<Tensor>> in, out;
    std::vector<mpt_mod_operand> in_forms, out_forms;
    Attrs attrs = {};
    bool updates = false;
};

class Fuser {
public:
    Fuser(Device &device, std::vector<Step> steps, const std::vector<Ref<Storage>> &born, const std::vector<Ref<Tensor>> &outputs);
    std::size_t size() const { return steps_.size(); }
    bool alive(std::size_t i) const { return steps_[i].op != nullptr; }
    const Step &operator[](std::size_t i) const { return steps_[i]; }
    // Does the step run this kernel?
    bool runs(std::size_t i, std::string_view kernel) const { return alive(i) && kernel == steps_[i].op->kernel; }

    // The one step that writes a temporary and nothing else does, all of it, as the tensor t.
    std::optional<std::size_t> maker(const Tensor &t) const;
    // The steps that read a tensor's storage, in order; once for each operand.
    const std::vector<std::size_t> &readers(const Tensor &t) const;
    bool read_once(const Tensor &t) const { return readers(t).size() == 1; }

    // Does a step between two others write the tensor's storage?
    bool written(const Tensor &t, std::size_t after, std::size_t before) const;

    // The parts, in order, become one call at the place of part `at`. False, and nothing has changed: a step between them is in the way, or
    // the device has no such kernel.
    bool replace(const std::vector<std::size_t> &parts, std::size_t at, const FusedCall &call);

    std::vector<Step> take();

private:
    struct Use {
        std::vector<std::size_t> writers, readers;
    };
    void index();
    bool in_the_way(std::size_t step, std::size_t part) const;

    Device &device_;
    std::vector<Step> steps_;  // without an op: replaced
    std::unordered_set<const Storage *> temporary_;
    std::unordered_map<const Storage *, Use> uses_;
};

// Does a tensor have all elements of a storage, each at the same place as another?
bool same_view(const Tensor &a, const Tensor &b);
// The same dtype, shape and strides.
bool same_form(const Tensor &a, const Tensor &b);

// Each fusion announces itself with an object of static storage; nothing runs at load time but a pointer's link.
class RegisteredFusion {
public:
    using Apply = void (*)(Fuser &fuser, std::size_t last);
    explicit RegisteredFusion(Apply apply) noexcept : apply_(apply), next_(first_) { first_ = this; }
    static const RegisteredFusion *first() { return first_; }
    const RegisteredFusion *next() const { return next_; }
    void apply(Fuser &fuser, std::size_t last) const { apply_(fuser, last); }

private:
    const Apply apply_;
    const RegisteredFusion *next_;
    static inline constinit const RegisteredFusion *first_ = nullptr;
};

}  // namespace mpt
