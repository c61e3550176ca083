#include "precision/policy.h"

#include <cstring>
#include <sstream>

#include "ops/ops.h"

namespace mpt {

namespace {

// Raised when an op changes its class: a policy printed today can be told from one printed by a later version.
constexpr int kClassListVersion = 2;

struct ClassName {
    Precision precision;
    const char *name;
};
constexpr ClassName kClasses[] = {{Precision::Lower, "lower"},
                                  {Precision::F32, "f32"},
                                  {Precision::F32Result, "f32 result"},
                                  {Precision::Promote, "promote widest"},
                                  {Precision::AsIs, "as is"}};
constexpr const char *kRecipes[] = {"unscaled", "current", "delayed"};
constexpr const char *kRoles[] = {"forward", "input gradient", "weight gradient"};

}  // namespace

bool matches(const char *pattern, const char *text) {
    // The position after the last '*', to come back to: linear in practice and without recursion.
    const char *star = nullptr, *from = nullptr;
    while (*text) {
        if (*pattern == '*') {
            star = ++pattern;
            from = text;
        } else if (*pattern == '?' || *pattern == *text) {
            ++pattern;
            ++text;
        } else if (star) {
            pattern = star;
            text = ++from;
        } else {
            return false;
        }
    }
    while (*pattern == '*') ++pattern;
    return !*pattern;
}

mpt_fp8_desc default_fp8() {
    mpt_fp8_desc d = {};
    d.struct_size = sizeof d;
    d.recipe = MPT_FP8_CURRENT;
    d.history = 1024;
    d.forward = MPT_F8E4M3;
    d.backward = MPT_F8E5M2;
    return d;
}

}  // namespace mpt

using namespace mpt;

mpt_policy::mpt_policy(mpt_context &context, mpt_dtype lower) : ctx(&context), dtype(lower), recipe(default_fp8()) {}

mpt_dtype mpt_policy::of_op(const Op &op) const {
    if (ops.empty()) return MPT_DTYPE_NONE;
    const auto found = ops.find(op.name);
    return found != ops.end() ? found->second : MPT_DTYPE_NONE;
}

mpt_dtype mpt_policy::of_product(const Op &op, mpt_role role, const std::string &layer) const {
    if (const mpt_dtype own = of_op(op); own != MPT_DTYPE_NONE) return own;
    for (auto entry = layers.rbegin(); entry != layers.rend(); ++entry)
        if (matches(entry->first.c_str(), layer.c_str())) return entry->second;
    return roles[role];
}

bool mpt_policy::runs_fp8(const Op &op, mpt_role role, const std::string &layer) const {
    const mpt_dtype own = of_product(op, role, layer);
    return own == MPT_DTYPE_NONE ? fp8 : is_f8(own);
}

mpt_dtype mpt_policy::target(const Op &op, mpt_role role, const std::string &layer) const {
    if (op.precision == Precision::Lower) {
        const mpt_dtype own = of_product(op, role, layer);
        return own == MPT_DTYPE_NONE || is_f8(own) ? dtype : own;
    }
    const mpt_dtype own = of_op(op);
    return own == MPT_DTYPE_NONE && op.precision == Precision::F32 ? MPT_F32 : own;
}

mpt_dtype mpt_policy::shared_target(std::initializer_list<const char *> names, const std::string &layer) const {
    mpt_dtype shared = MPT_DTYPE_NONE;
    for (const Op *op : mpt::ops::all())
        for (const char *name : names) {
            if (std::strcmp(op->name, name) != 0) continue;
            for (const mpt_role role : {MPT_ROLE_FORWARD, MPT_ROLE_INPUT_GRADIENT, MPT_ROLE_WEIGHT_GRADIENT}) {
                const mpt_dtype own = target(*op, role, layer);
                if ((op->fp8 && runs_fp8(*op, role, layer)) || (shared != MPT_DTYPE_NONE && own != shared)) return MPT_DTYPE_NONE;
                shared = own;
            }
        }
    return shared;
}

std::string mpt_policy::describe() const {
    std::ostringstream out;
    out.exceptions(std::ios::badbit);  // no memory: an exception, not a shorter text
    out << "autocast to " << dtype_name(dtype) << ", class lists version " << kClassListVersion << "\n";
    if (fp8) {
        out << "fp8 by " << kRecipes[recipe.recipe] << " scales, " << dtype_name(recipe.forward) << " forward and " << dtype_name(recipe.backward) << " backward:";
        for (const Op *op : ops::all())
            if (op->fp8) out << " " << op->name;
        out << "\n";
    }
    for (const ClassName &c : kClasses) {
        out << c.name << ":";
        for (const Op *op : ops::all())
            if (op->precision == c.precision) out << " " << op->name;
        out << "\n";
    }
    for (int i = 0; i < 3; ++i)
        if (roles[i] != MPT_DTYPE_NONE) out << "role " << kRoles[i] << " = " << dtype_name(roles[i]) << "\n";
    for (const auto &[pattern, type] : layers) out << "layer \"" << pattern << "\" = " << (is_f8(type) ? "fp8" : dtype_name(type)) << "\n";
    for (const auto &[name, type] : ops) out << "op " << name << " = " << dtype_name(type) << "\n";
    return out.str();
}
