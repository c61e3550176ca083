#include "ops/op_test.h"
#include "ops/reference.h"

namespace test {

namespace {

// As a product: the bias is added before the one rounding.
constexpr Bound kLinear{4, Scale::Magnitudes, 4, 1, Scale::Magnitudes};

Values reference(const std::vector<Values> &in) {
    const Values &x = in[0], &w = in[1];
    Shape shape = x.shape;
    shape.back() = w.shape[0];
    return tabulate(shape, [&](Shape at) {
        const std::int64_t o = at.back();
        double sum = in.size() > 2 ? element(in[2], {o}) : 0;
        for (std::int64_t k = 0; k < w.shape[1]; ++k) {
            at.back() = k;
            sum += element(x, at) * element(w, {o, k});
        }
        return sum;
    });
}

enum class Bias { None, Same, Wide };

Case linear(const char *name, const Shape &x, std::int64_t out, Bias bias, Layout lx = Layout::Contiguous,
            Layout lw = Layout::Contiguous) {
    std::vector<Operand> inputs{{.shape = x, .layout = lx}, {.shape = {out, x.back()}, .layout = lw}};
    if (bias != Bias::None) inputs.push_back({.shape = {out}, .wide = bias == Bias::Wide});
    return {.op = "mpt_linear",
            .name = name,
            .inputs = inputs,
            .apply = [=](In in, Out y) { return mpt_linear(in[0], in[1], bias == Bias::None ? nullptr : in[2], y); },
            .reference = reference,
            .bound = kLinear};
}

std::vector<Case> cases() {
    return {
        linear("Plain", {4, 6}, 5, Bias::None),
        linear("Bias", {4, 6}, 5, Bias::Same),
        linear("WideBias", {4, 6}, 5, Bias::Wide),
        linear("OneVector", {7}, 3, Bias::Same),
        linear("Batches", {2, 3, 9}, 4, Bias::Wide),
        linear("TransposedInput", {6, 10}, 4, Bias::Same, Layout::Transposed),
        linear("TransposedWeight", {6, 10}, 4, Bias::Same, Layout::Contiguous, Layout::Transposed),
        linear("BatchesTransposed", {2, 5, 8}, 4, Bias::Same, Layout::Transposed),
        linear("Sliced", {2, 5, 7}, 3, Bias::Wide, Layout::Sliced, Layout::Sliced),
        linear("OneFeature", {11, 1}, 1, Bias::Same),
        linear("NoRows", {0, 4}, 3, Bias::Same),
        linear("NoInputs", {3, 0}, 2, Bias::Same),
        linear("Large", {64, 200}, 131, Bias::Wide),
        linear("FewOutputs", {70, 264}, 10, Bias::Wide),
        linear("OneOutput", {2, 3, 72}, 1, Bias::Same),
        linear("SixteenOutputs", {17, 1024}, 16, Bias::None),
        linear("FewOutputsSliced", {19, 136}, 5, Bias::Same, Layout::Sliced, Layout::Sliced),
    };
}

}  // namespace

INSTANTIATE_OP_TESTS(Linear, cases());

}  // namespace test
