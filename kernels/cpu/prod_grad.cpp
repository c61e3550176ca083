// "prod_grad" of device/attrs/: zeros are counted and left out of the product, so that nothing is divided by 0.
#include <cstddef>
#include <cstdint>

#include "kernel.h"
#include "operand.h"
#include "reduce_plan.h"
#include "rows.h"

namespace mpt::cpu {
namespace {

class ProdGrad final : public Kernel {
public:
    ProdGrad(Pool &pool, const mpt_mod_call &call)
        : pool_(pool),
          plan_(call.in[1], call.in[0]),
          load_(loader<double>(call.in[1].dtype)),
          load_dy_(loader<double>(call.in[0].dtype)),
          store_(storer<double>(call.out[0].dtype)),
          bytes_(static_cast<std::int64_t>(bytes_of(call.in[1].dtype))),
          dy_bytes_(static_cast<std::int64_t>(bytes_of(call.in[0].dtype))) {
        if (!load_ || !load_dy_) unsupported_dtype("prod_grad", call.in[load_ ? 0 : 1].dtype);
        if (call.in[1].dtype != call.out[0].dtype || !same_layout(call.in[1], call.out[0]))
            throw Failure{MPT_ERROR_INTERNAL, "prod_grad: dx has another form than x"};
        inner_ = plan_.reduced.back();
        runs_ = inner_.extent > 0 ? plan_.inputs / inner_.extent : 0;
    }

    void launch(const void *const *in, void *const *out, void *) override {
        const auto *dy = static_cast<const std::byte *>(in[0]);
        const auto *x = static_cast<const std::byte *>(in[1]);
        auto *dx = static_cast<std::byte *>(out[0]);
        const std::int64_t size = plan_.inputs > 0 ? plan_.inputs : 1;
        pool_.for_range(plan_.outputs, (kGrain + size - 1) / size, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; i++) {
                std::int64_t first = 0, place = 0;
                locate(plan_.kept, plan_.kept.size(), i, first, place);
                double g;
                load_dy_(dy + place * dy_bytes_, 1, 1, 1, 1, &g);
                gradients(x, dx, first, g);
            }
        });
    }

    const char *name() const override { return "cpu:prod_grad"; }

private:
    static constexpr std::int64_t kPiece = 512;

    void gradients(const std::byte *x, std::byte *dx, std::int64_t first, double dy) const {
        double product = 1;
        std::int64_t zeros = 0;
        each_piece(first, [&](std::int64_t offset, std::int64_t n) {
            double v[kPiece];
            load_(x + offset * bytes_, 1, n, n, inner_.in, v);
            for (std::int64_t j = 0; j < n; j++) {
                product *= v[j] == 0 ? 1 : v[j];
                zeros += v[j] == 0;
            }
        });
        // One zero: only its own gradient is left. Two: none.
        const double whole = zeros == 0 ? dy * product : 0, of_zero = zeros == 1 ? dy * product : 0;
        each_piece(first, [&](std::int64_t offset, std::int64_t n) {
            double v[kPiece];
            load_(x + offset * bytes_, 1, n, n, inner_.in, v);
            for (std::int64_t j = 0; j < n; j++) v[j] = v[j] == 0 ? of_zero : whole / v[j];
            store_(v, dx + offset * bytes_, 1, n, n, inner_.in);
        });
    }

    // f(offset, n) for the pieces of the elements that make one product.
    template <class F>
    void each_piece(std::int64_t first, F &&f) const {
        for (std::int64_t r = 0; r < runs_; r++) {
            std::int64_t offset = first, unused = 0;
            locate(plan_.reduced, plan_.reduced.size() - 1, r, offset, unused);
            for (std::int64_t i = 0; i < inner_.extent; i += kPiece) f(offset + i * inner_.in, std::min(kPiece, inner_.extent - i));
        }
    }

    Pool &pool_;
    Plan plan_;
    Load<double> load_, load_dy_;
    Store<double> store_;
    std::int64_t bytes_, dy_bytes_;
    Dim inner_{};
    std::int64_t runs_;
};

}  // namespace

static std::unique_ptr<Kernel> prepare_prod_grad(Pool &pool, const mpt_mod_call &call) {
    return std::make_unique<ProdGrad>(pool, call);
}

static const RegisteredKernel registered_prod_grad("prod_grad", prepare_prod_grad);

}  // namespace mpt::cpu
