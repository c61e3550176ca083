// Whole sequences on a GPU, run after run. By themselves, so that a race checker sees them and nothing else: in
// recurrent_sequence_test.cpp, which says what they are to give, products of cuBLASLt come first, and compute-sanitizer's racecheck
// fails on those.
#include <memory>
#include <random>

#include "device/attrs/recurrent.h"
#include "gtest/gtest.h"
#include "kernels/module.h"

namespace {

using kernels::Module;
using kernels::operand;
using Halves = std::vector<std::uint16_t>;

struct Form {
    const char *name;
    mpt_dtype dtype;
    std::int64_t steps, rows, width, reverse;
};
std::ostream &operator<<(std::ostream &out, const Form &form) {
    return out << form.name;
}

class GpuSequence : public testing::TestWithParam<Form> {
protected:
    void SetUp() override {
        try {
            module = std::make_unique<Module>(0, "cuda");
        } catch (const kernels::Unavailable &reason) {
            GTEST_SKIP() << "the CUDA module cannot be used: " << reason.what();
        }
    }
    // Numbers of magnitude 1/8 to 1/4.
    Halves numbers(std::int64_t n) {
        const bool bf16 = GetParam().dtype == MPT_BF16;
        Halves x(static_cast<std::size_t>(n));
        for (std::uint16_t &e : x) e = static_cast<std::uint16_t>((random() & (bf16 ? 0x807f : 0x83ff)) | (bf16 ? 0x3e00 : 0x3000));
        return x;
    }
    mpt_mod_operand matrix(const std::vector<std::int64_t> &shape) const { return operand(GetParam().dtype, shape); }

    struct Operand {
        mpt_mod_operand form;
        Halves values;  // none: absent
    };
    static std::int64_t count(const mpt_mod_operand &x) {
        std::int64_t n = 1;
        for (int d = 0; d < x.ndim; ++d) n *= x.shape[d];
        return n;
    }
    Operand filled(const std::vector<std::int64_t> &shape) {
        const mpt_mod_operand form = matrix(shape);
        return {form, numbers(count(form))};
    }

    // What each of several launches gives, which is the same.
    std::vector<Halves> run(const char *kernel, const std::vector<Operand> &in, const std::vector<mpt_mod_operand> &out) {
        constexpr int kTimes = 3;
        std::vector<mpt_mod_operand> forms;
        std::vector<std::unique_ptr<Module::Memory>> memory;
        std::vector<const void *> from;
        for (const Operand &x : in) {
            forms.push_back(x.values.empty() ? mpt_mod_operand{} : x.form);
            memory.push_back(std::make_unique<Module::Memory>(*module, x.values));
            from.push_back(memory.back()->at());
        }
        auto prepared = module->prepare(kernel, forms, out, mpt_attrs_recurrent_sequence{GetParam().reverse});
        std::vector<Halves> first;
        for (int time = 0; time < kTimes; ++time) {
            std::vector<std::unique_ptr<Module::Memory>> results;
            std::vector<void *> to;
            for (const mpt_mod_operand &y : out) {
                results.push_back(
                    std::make_unique<Module::Memory>(*module, y.dtype == MPT_DTYPE_NONE ? Halves() : numbers(count(y))));
                to.push_back(results.back()->at());
            }
            prepared.launch(from, to);
            std::vector<Halves> got;
            for (const auto &result : results) got.push_back(result->read());
            if (time == 0)
                first = got;
            else
                EXPECT_EQ(got, first) << kernel << ", run " << time;
        }
        return first;
    }

    std::mt19937 random{1};
    std::unique_ptr<Module> module;
};

TEST_P(GpuSequence, LstmHasTheSameBits) {
    const auto [name, dtype, L, N, H, reverse] = GetParam();
    const Operand weight = filled({4 * H, H}), cell = filled({N, H});
    const std::vector<Halves> made = run("lstm_sequence", {filled({L, N, 4 * H}), weight, filled({4 * H}), filled({N, H}), cell},
                                         {matrix({L, N, H}), matrix({L, N, H}), matrix({L, N, 4 * H})});
    run("lstm_sequence_grad",
        {{matrix({L, N, 4 * H}), made[2]}, weight, cell, {matrix({L, N, H}), made[1]}, filled({L, N, H}), filled({L, N, H})},
        {matrix({L, N, 4 * H}), matrix({N, H}), matrix({N, H})});
}

TEST_P(GpuSequence, GruHasTheSameBits) {
    const auto [name, dtype, L, N, H, reverse] = GetParam();
    const Operand weight = filled({3 * H, H}), gates = filled({L, N, 3 * H}), hidden = filled({N, H});
    const std::vector<Halves> made =
        run("gru_sequence", {gates, weight, filled({3 * H}), hidden, {}}, {matrix({L, N, H}), {}, matrix({L, N, 3 * H})});
    run("gru_sequence_grad",
        {{matrix({L, N, 3 * H}), made[2]}, weight, gates, hidden, {matrix({L, N, H}), made[0]}, filled({L, N, H})},
        {matrix({L, N, 3 * H}), matrix({L, N, 3 * H}), matrix({N, H})});
}

// Warps that do not multiply; several tiles of rows, the last not full; groups of blocks; as many units as there may be.
INSTANTIATE_TEST_SUITE_P(Of, GpuSequence,
                         testing::Values(Form{"Few_cuda", MPT_F16, 5, 21, 128, 0}, Form{"Tiles_cuda", MPT_BF16, 4, 333, 512, 1},
                                         Form{"Groups_cuda", MPT_F16, 6, 75, 64, 0}, Form{"Widest_cuda", MPT_BF16, 3, 40, 1024, 0}),
                         testing::PrintToStringParamName());

}  // namespace
