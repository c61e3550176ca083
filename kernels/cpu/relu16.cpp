#include "relu16.h"

#include <cstdint>

#include "isa.h"
#include "operand.h"

namespace mpt::cpu {
namespace {

using Bits = std::uint16_t;

// Magnitudes 1 to infinity are numbers that are not 0; above lie the NaNs.
Bits infinity_of(std::int32_t dtype) { return dtype == MPT_F16 ? 0x7C00 : 0x7F80; }

void relu_row(const Bits *x, const Bits *, Bits *y, std::int64_t n, Bits infinity) {
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < n; ++i) {
        const Bits less = static_cast<Bits>(x[i] - 0x8001);  // below infinity exactly for numbers under 0
        y[i] = less < infinity ? Bits{0} : x[i];
    }
}

void relu_grad_row(const Bits *a, const Bits *b, Bits *y, std::int64_t n, Bits infinity) {
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < n; ++i) {
        const Bits less = static_cast<Bits>(b[i] - 1);  // below infinity exactly for numbers over 0
        y[i] = less < infinity ? a[i] : Bits{0};
    }
}

using Row = void (*)(const Bits *, const Bits *, Bits *, std::int64_t, Bits);

class Relu16 final : public Kernel {
public:
    Relu16(Pool &pool, const char *name, std::int64_t count, Bits infinity, Row row)
        : pool_(pool), name_(name), count_(count), infinity_(infinity), row_(row) {}

    void launch(const void *const *in, void *const *out, void *) override {
        const auto *a = static_cast<const Bits *>(in[0]), *b = static_cast<const Bits *>(in[1]);
        auto *y = static_cast<Bits *>(out[0]);
        pool_.for_range(count_, kGrain, [&](std::int64_t begin, std::int64_t end) {
            row_(a + begin, b ? b + begin : nullptr, y + begin, end - begin, infinity_);
        });
    }
    const char *name() const override { return name_; }

private:
    Pool &pool_;
    const char *name_;
    std::int64_t count_;
    Bits infinity_;
    Row row_;
};

bool is_16(const mpt_mod_operand &x) { return x.dtype == MPT_F16 || x.dtype == MPT_BF16; }

}  // namespace

std::unique_ptr<Kernel> prepare_relu16(Pool &pool, const mpt_mod_call &call) {
    const mpt_mod_operand &x = call.in[0], &y = call.out[0];
    if (!is_16(x) || y.dtype != x.dtype || !is_dense(x) || !same_layout(x, y)) return nullptr;
    return std::make_unique<Relu16>(pool, "cpu:relu16", numel(y), infinity_of(x.dtype), Versions<&relu_row>::best());
}

std::unique_ptr<Kernel> prepare_relu_grad16(Pool &pool, const mpt_mod_call &call) {
    const mpt_mod_operand &a = call.in[0], &b = call.in[1], &y = call.out[0];
    if (!is_16(a) || b.dtype != a.dtype || y.dtype != a.dtype || !is_dense(a) || !same_layout(a, b) || !same_layout(a, y)) return nullptr;
    return std::make_unique<Relu16>(pool, "cpu:relu_grad16", numel(y), infinity_of(a.dtype), Versions<&relu_grad_row>::best());
}

}  // namespace mpt::cpu
