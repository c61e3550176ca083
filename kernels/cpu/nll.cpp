// "nll" and "nll_grad" of device/attrs/loss.h.
#include "class_rows.h"
#include "tiled_row.h"

namespace mpt::cpu {
namespace {

template <class C>
class Nll final : public ClassLoss<C> {
    using Base = ClassLoss<C>;

public:
    Nll(Pool &pool, const mpt_mod_call &call) : Base(pool, call, call.out[1], 1) {}

    void launch(const void *const *in, void *const *out, void *workspace) override {
        Base::reduce(static_cast<C *>(out[0]), static_cast<C *>(out[1]), workspace,
                     [&](std::int64_t begin, std::int64_t end, auto &&add) {
                         for (std::int64_t r = begin; r < end; r++) {
                             const std::int64_t target = Base::target(in[1], r);
                             if (target < 0) {
                                 const bool ignored = target == Base::kIgnored;
                                 add(r, ignored ? C{0} : std::numeric_limits<C>::quiet_NaN(), ignored ? C{0} : C{1});
                             } else {
                                 const C weight = Base::weight(in[2], target);
                                 add(r, -weight * Base::score(in[0], r, target), weight);
                             }
                         }
                     });
    }

    const char *name() const override { return "cpu:nll"; }
};

template <class C>
class NllGrad final : public ClassGrad<C> {
    using Base = ClassGrad<C>;

public:
    NllGrad(Pool &pool, const mpt_mod_call &call) : Base(pool, call, call.in[3], call.in[4]) {}

    void launch(const void *const *in, void *const *out, void *) override {
        Base::for_rows([&](std::int64_t begin, std::int64_t end) {
            alignas(64) C buffer[kRowTile];
            for (std::int64_t r = begin; r < end; r++) {
                const std::int64_t target = Base::target(in[1], r);
                each_tile(Base::classes_, [&](std::int64_t i, std::int64_t length) {
                    C *values = Base::place(out[0], r, i, buffer);
                    std::fill_n(values, length, C{0});
                    if (target >= i && target < i + length)
                        values[target - i] = -Base::weight(in[2], target) * Base::scale(in[3], in[4], r);
                    Base::put(values, out[0], r, i, length);
                });
            }
        });
    }

    const char *name() const override { return "cpu:nll_grad"; }
};

}  // namespace

static std::unique_ptr<Kernel> prepare_nll(Pool &pool, const mpt_mod_call &call) {
    if (call.in[0].dtype == MPT_F64) return std::make_unique<Nll<double>>(pool, call);
    return std::make_unique<Nll<float>>(pool, call);
}

static std::unique_ptr<Kernel> prepare_nll_grad(Pool &pool, const mpt_mod_call &call) {
    if (call.in[0].dtype == MPT_F64) return std::make_unique<NllGrad<double>>(pool, call);
    return std::make_unique<NllGrad<float>>(pool, call);
}

static const RegisteredKernel registered_nll("nll", prepare_nll);
static const RegisteredKernel registered_nll_grad("nll_grad", prepare_nll_grad);

}  // namespace mpt::cpu
