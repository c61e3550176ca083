// Ops that compute element by element, reduce, move or index (parity_ops.py) against PyTorch's results in parity.txt: how each is
// called with a record's settings.
#include "oracle/parity.h"

namespace parity {

namespace {

using Unary = mpt_status (*)(mpt_tensor *, mpt_tensor **);
using Binary = mpt_status (*)(mpt_tensor *, mpt_tensor *, mpt_tensor **);
using Reduction = mpt_status (*)(mpt_tensor *, std::int32_t, const std::int32_t *, std::int32_t, mpt_tensor **);
using Along = mpt_status (*)(mpt_tensor *, std::int32_t, mpt_tensor **);

Function unary(Unary f) {
    return [=](const Args &a, mpt_tensor **out) { return f(a[0], out); };
}
Function binary(Binary f) {
    return [=](const Args &a, mpt_tensor **out) { return f(a[0], a[1], out); };
}
Function along(Along f) {
    return [=](const Args &a, mpt_tensor **out) { return f(a[0], a.integer("dim"), out); };
}

// The dimensions of a reduction; NULL where the record names none.
struct Dims {
    std::vector<std::int32_t> list;
    explicit Dims(const Args &a) : list(a.list<std::int32_t>("dims")) {}
    std::int32_t n() const { return static_cast<std::int32_t>(list.size()); }
    const std::int32_t *data() const { return list.empty() ? nullptr : list.data(); }
};
Function reduction(Reduction f) {
    return [=](const Args &a, mpt_tensor **out) {
        const Dims dims(a);
        return f(a[0], dims.n(), dims.data(), a.integer("keep_dims"), out);
    };
}

void add_elementwise(Table &t) {
    const std::map<std::string, Unary> plain = {
        {"mpt_neg", mpt_neg},
        {"mpt_exp", mpt_exp},
        {"mpt_log", mpt_log},
        {"mpt_sqrt", mpt_sqrt},
        {"mpt_relu", mpt_relu},
        {"mpt_abs", mpt_abs},
        {"mpt_sign", mpt_sign},
        {"mpt_square", mpt_square},
        {"mpt_rsqrt", mpt_rsqrt},
        {"mpt_reciprocal", mpt_reciprocal},
        {"mpt_exp2", mpt_exp2},
        {"mpt_expm1", mpt_expm1},
        {"mpt_log2", mpt_log2},
        {"mpt_log10", mpt_log10},
        {"mpt_log1p", mpt_log1p},
        {"mpt_sin", mpt_sin},
        {"mpt_cos", mpt_cos},
        {"mpt_tan", mpt_tan},
        {"mpt_asin", mpt_asin},
        {"mpt_acos", mpt_acos},
        {"mpt_atan", mpt_atan},
        {"mpt_sinh", mpt_sinh},
        {"mpt_cosh", mpt_cosh},
        {"mpt_tanh", mpt_tanh},
        {"mpt_asinh", mpt_asinh},
        {"mpt_acosh", mpt_acosh},
        {"mpt_atanh", mpt_atanh},
        {"mpt_erf", mpt_erf},
        {"mpt_floor", mpt_floor},
        {"mpt_ceil", mpt_ceil},
        {"mpt_round", mpt_round},
        {"mpt_trunc", mpt_trunc},
        {"mpt_sigmoid", mpt_sigmoid},
        {"mpt_silu", mpt_silu},
        {"mpt_softplus", mpt_softplus},
        {"mpt_isnan", mpt_isnan},
        {"mpt_isinf", mpt_isinf},
        {"mpt_isfinite", mpt_isfinite},
        {"mpt_logical_not", mpt_logical_not},
    };
    for (const auto &[name, f] : plain) t[name] = unary(f);
    const std::map<std::string, Binary> pairs = {
        {"mpt_add", mpt_add},
        {"mpt_sub", mpt_sub},
        {"mpt_mul", mpt_mul},
        {"mpt_div", mpt_div},
        {"mpt_pow", mpt_pow},
        {"mpt_maximum", mpt_maximum},
        {"mpt_minimum", mpt_minimum},
        {"mpt_fmod", mpt_fmod},
        {"mpt_remainder", mpt_remainder},
        {"mpt_floor_divide", mpt_floor_divide},
        {"mpt_atan2", mpt_atan2},
        {"mpt_equal", mpt_equal},
        {"mpt_not_equal", mpt_not_equal},
        {"mpt_less", mpt_less},
        {"mpt_less_equal", mpt_less_equal},
        {"mpt_greater", mpt_greater},
        {"mpt_greater_equal", mpt_greater_equal},
        {"mpt_logical_and", mpt_logical_and},
        {"mpt_logical_or", mpt_logical_or},
        {"mpt_logical_xor", mpt_logical_xor},
    };
    for (const auto &[name, f] : pairs) t[name] = binary(f);
    t["mpt_affine"] = [](const Args &a, mpt_tensor **out) { return mpt_affine(a[0], a.number("scale"), a.number("shift"), out); };
    t["mpt_leaky_relu"] = [](const Args &a, mpt_tensor **out) { return mpt_leaky_relu(a[0], a.number("slope"), out); };
    t["mpt_elu"] = [](const Args &a, mpt_tensor **out) { return mpt_elu(a[0], a.number("alpha"), out); };
    t["mpt_gelu"] = [](const Args &a, mpt_tensor **out) { return mpt_gelu(a[0], a.constant<mpt_gelu_kind>("kind"), out); };
    t["mpt_clamp"] = [](const Args &a, mpt_tensor **out) { return mpt_clamp(a[0], a.number("low"), a.number("high"), out); };
    t["mpt_pow_scalar"] = [](const Args &a, mpt_tensor **out) { return mpt_pow_scalar(a[0], a.number("exponent"), out); };
    t["mpt_where"] = [](const Args &a, mpt_tensor **out) { return mpt_where(a[0], a[1], a[2], out); };
}

void add_reductions(Table &t) {
    const std::map<std::string, Reduction> plain = {{"mpt_sum", mpt_sum},
                                                    {"mpt_mean", mpt_mean},
                                                    {"mpt_max", mpt_max},
                                                    {"mpt_min", mpt_min},
                                                    {"mpt_prod", mpt_prod},
                                                    {"mpt_norm", mpt_norm},
                                                    {"mpt_logsumexp", mpt_logsumexp},
                                                    {"mpt_any", mpt_any},
                                                    {"mpt_all", mpt_all}};
    for (const auto &[name, f] : plain) t[name] = reduction(f);
    t["mpt_var"] = [](const Args &a, mpt_tensor **out) {
        const Dims dims(a);
        return mpt_var(a[0], dims.n(), dims.data(), a.integer("keep_dims"), a.number("correction"), out);
    };
    t["mpt_argmax"] = [](const Args &a, mpt_tensor **out) {
        return mpt_argmax(a[0], a.integer("dim"), a.integer("keep_dims"), out);
    };
    t["mpt_argmin"] = [](const Args &a, mpt_tensor **out) {
        return mpt_argmin(a[0], a.integer("dim"), a.integer("keep_dims"), out);
    };
    t["mpt_cumsum"] = along(mpt_cumsum);
    t["mpt_sort"] = [](const Args &a, mpt_tensor **out) {
        return mpt_sort(a[0], a.integer("dim"), a.integer("descending"), out, out + 1);
    };
    t["mpt_topk"] = [](const Args &a, mpt_tensor **out) {
        return mpt_topk(a[0], a.integer("k"), a.integer("dim"), a.integer("largest"), out, out + 1);
    };
}

void add_shapes(Table &t) {
    t["mpt_reshape"] = [](const Args &a, mpt_tensor **out) {
        const auto shape = a.list("shape");
        return mpt_reshape(a[0], static_cast<std::int32_t>(shape.size()), shape.data(), out);
    };
    t["mpt_expand"] = [](const Args &a, mpt_tensor **out) {
        const auto shape = a.list("shape");
        return mpt_expand(a[0], static_cast<std::int32_t>(shape.size()), shape.data(), out);
    };
    t["mpt_transpose"] = [](const Args &a, mpt_tensor **out) {
        const Dims dims(a);
        return mpt_transpose(a[0], dims.n(), dims.data(), out);
    };
    t["mpt_flip"] = [](const Args &a, mpt_tensor **out) {
        const Dims dims(a);
        return mpt_flip(a[0], dims.n(), dims.data(), out);
    };
    t["mpt_slice"] = [](const Args &a, mpt_tensor **out) {
        return mpt_slice(a[0], a.integer("dim"), a.integer("start"), a.integer("length"), out);
    };
    t["mpt_cast"] = [](const Args &a, mpt_tensor **out) { return mpt_cast(a[0], a.constant<mpt_dtype>("dtype"), out); };
    t["mpt_squeeze"] = along(mpt_squeeze);
    t["mpt_unsqueeze"] = along(mpt_unsqueeze);
    t["mpt_contiguous"] = [](const Args &a, mpt_tensor **out) {
        test::Tensor view;
        const mpt_status status = mpt_transpose(a[0], 0, nullptr, view.out());
        return status == MPT_OK ? mpt_contiguous(view, out) : status;
    };
    t["mpt_concat"] = [](const Args &a, mpt_tensor **out) {
        return mpt_concat(a.all().data(), static_cast<std::int32_t>(a.inputs.size()), a.integer("dim"), out);
    };
    t["mpt_stack"] = [](const Args &a, mpt_tensor **out) {
        return mpt_stack(a.all().data(), static_cast<std::int32_t>(a.inputs.size()), a.integer("dim"), out);
    };
    t["mpt_split"] = [](const Args &a, mpt_tensor **out) {
        const auto lengths = a.list("lengths");
        return mpt_split(a[0], a.integer("dim"), lengths.data(), static_cast<std::int32_t>(lengths.size()), out);
    };
    t["mpt_pad"] = [](const Args &a, mpt_tensor **out) {
        const auto before = a.list("before"), after = a.list("behind");
        return mpt_pad(a[0], static_cast<std::int32_t>(before.size()), before.data(), after.data(), a.number("value"), out);
    };
    t["mpt_tile"] = [](const Args &a, mpt_tensor **out) {
        const auto repeats = a.list("repeats");
        return mpt_tile(a[0], static_cast<std::int32_t>(repeats.size()), repeats.data(), out);
    };
    t["mpt_tril"] = [](const Args &a, mpt_tensor **out) { return mpt_tril(a[0], a.integer("diagonal"), out); };
    t["mpt_triu"] = [](const Args &a, mpt_tensor **out) { return mpt_triu(a[0], a.integer("diagonal"), out); };
    t["mpt_index_select"] = [](const Args &a, mpt_tensor **out) { return mpt_index_select(a[0], a.integer("dim"), a[1], out); };
    t["mpt_gather"] = [](const Args &a, mpt_tensor **out) { return mpt_gather(a[0], a.integer("dim"), a[1], out); };
    t["mpt_scatter_add"] = [](const Args &a, mpt_tensor **out) { return mpt_scatter_add(a[0], a.integer("dim"), a[1], a[2], out); };
    t["mpt_one_hot"] = [](const Args &a, mpt_tensor **out) {
        return mpt_one_hot(a[0], a.integer("classes"), a.constant<mpt_dtype>("dtype"), out);
    };
    t["mpt_embedding"] = [](const Args &a, mpt_tensor **out) { return mpt_embedding(a[0], a[1], a.integer("padding_index"), out); };
}

const Table &table() {
    static const Table all = [] {
        Table t;
        add_elementwise(t);
        add_reductions(t);
        add_shapes(t);
        return t;
    }();
    return all;
}

}  // namespace

class OpParity : public ParityTest {};

TEST_P(OpParity, IsPyTorchs) {
    run(table());
}

INSTANTIATE_TEST_SUITE_P(Oracle, OpParity, testing::ValuesIn(subjects(keys(table()))), label);

}  // namespace parity
