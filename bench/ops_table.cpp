#include "ops_table.h"

#include <utility>

namespace {

// Makes a call with its "mpt_tensor **out" and gives what comes out.
template <class Call>
Tensors results(const char *name, const Call &call) {
    mpt_tensor *out = nullptr;
    check(call(&out), name);
    Tensors all;
    all.emplace_back(out);
    return all;
}

// Activations of 8192 tokens with 1024 features, the form of most ops below.
constexpr int64_t tokens = 8192, features = 1024;
const Shape activations = {tokens, features};

using One = mpt_status (*)(mpt_tensor *x, mpt_tensor **out);

// An op of one tensor. rereads: how many times the gradient reads something of x's size besides the result's gradient.
template <class Call>
Op unary(std::string name, int rereads, Call call, const Shape &shape = activations) {
    return {name, [=](Inputs &in) {
                mpt_tensor *x = in.floats(shape);
                Work work;
                work.forward = [=] { return results(name.c_str(), [=](mpt_tensor **out) { return call(x, out); }); };
                work.reread = rereads * bytes_of(x);
                return work;
            }};
}

template <class Call>
Op of_image(std::string name, int rereads, Call call) {
    return {name, [=](Inputs &in) {
                mpt_tensor *x = in.image(32, 64, 56, 56);
                Work work;
                work.forward = [=] { return results(name.c_str(), [=](mpt_tensor **out) { return call(x, out); }); };
                work.reread = rereads * bytes_of(x);
                return work;
            }};
}

template <class Call>
Op binary(std::string name, const Shape &second, bool rereads, Call call) {
    return {name, [=](Inputs &in) {
                mpt_tensor *a = in.floats(activations), *b = in.floats(second);
                Work work;
                work.forward = [=] { return results(name.c_str(), [=](mpt_tensor **out) { return call(a, b, out); }); };
                if (rereads) work.reread = bytes_of(a) + bytes_of(b);
                return work;
            }};
}

Op without_gradient(Op op) {
    op.backward = false;
    return op;
}

void add_products(std::vector<Op> &table) {
    table.push_back({"matmul_1024x1024x1024", [](Inputs &in) {
                         mpt_tensor *a = in.floats({1024, 1024}), *b = in.floats({1024, 1024});
                         Work work;
                         work.forward = [=] {
                             return results("mpt_matmul", [=](mpt_tensor **out) { return mpt_matmul(a, b, out); });
                         };
                         work.flops = 2.0 * 1024 * 1024 * 1024;
                         return work;
                     }});
    table.push_back({"matmul_batch64_128x64x128", [](Inputs &in) {
                         mpt_tensor *a = in.floats({64, 128, 64}), *b = in.floats({64, 64, 128});
                         Work work;
                         work.forward = [=] {
                             return results("mpt_matmul", [=](mpt_tensor **out) { return mpt_matmul(a, b, out); });
                         };
                         work.flops = 2.0 * 64 * 128 * 64 * 128;
                         return work;
                     }});
    table.push_back({"linear_256x1024_to_4096", [](Inputs &in) {
                         mpt_tensor *x = in.floats({256, 1024}), *w = in.floats({4096, 1024}), *bias = in.floats({4096});
                         Work work;
                         work.forward = [=] {
                             return results("mpt_linear", [=](mpt_tensor **out) { return mpt_linear(x, w, bias, out); });
                         };
                         work.flops = 2.0 * 256 * 1024 * 4096;
                         return work;
                     }});
    for (int kernel : {3, 1}) {
        const std::string form = std::to_string(kernel) + "x" + std::to_string(kernel);
        const int64_t in_channels = kernel == 3 ? 64 : 256;
        table.push_back({"conv2d_" + form + "_" + std::to_string(in_channels) + "_to_64_8x56x56", [=](Inputs &in) {
                             mpt_tensor *x = in.image(8, in_channels, 56, 56), *w = in.floats({64, in_channels, kernel, kernel});
                             mpt_tensor *bias = in.floats({64});
                             mpt_conv2d_params params;
                             OK(mpt_conv2d_params_init(&params, sizeof params));
                             params.padding_h = params.padding_w = kernel / 2;
                             Work work;
                             work.forward = [=] {
                                 return results("mpt_conv2d",
                                                [&](mpt_tensor **out) { return mpt_conv2d(x, w, bias, &params, out); });
                             };
                             work.flops = 2.0 * 8 * 56 * 56 * 64 * static_cast<double>(in_channels) * kernel * kernel;
                             return work;
                         }});
    }
    table.push_back({"attention_2x12x512x64", [](Inputs &in) {
                         const Shape heads = {2, 12, 512, 64};
                         mpt_tensor *q = in.floats(heads), *k = in.floats(heads), *v = in.floats(heads);
                         Work work;
                         work.forward = [=] {
                             return results("mpt_attention",
                                            [=](mpt_tensor **out) { return mpt_attention(q, k, v, nullptr, nullptr, out); });
                         };
                         work.flops = 4.0 * 2 * 12 * 512 * 512 * 64;
                         return work;
                     }});
}

void add_elementwise(std::vector<Op> &table) {
    table.push_back(binary("add", activations, false, mpt_add));
    table.push_back(binary("add_bias", {features}, false, mpt_add));
    table.push_back(binary("mul", activations, true, mpt_mul));
    table.push_back(binary("div", activations, true, mpt_div));
    const std::pair<const char *, One> functions[] = {{"relu", mpt_relu}, {"exp", mpt_exp},         {"tanh", mpt_tanh},
                                                      {"silu", mpt_silu}, {"sigmoid", mpt_sigmoid}, {"sqrt", mpt_sqrt}};
    for (const auto &[name, function] : functions) table.push_back(unary(name, 1, function));
    table.push_back(unary("gelu", 1, [](mpt_tensor *x, mpt_tensor **out) { return mpt_gelu(x, MPT_GELU_EXACT, out); }));
    table.push_back(unary("gelu_tanh", 1, [](mpt_tensor *x, mpt_tensor **out) { return mpt_gelu(x, MPT_GELU_TANH, out); }));
    // The gradient's mask can be drawn again from the counter: nothing has to be read.
    table.push_back(unary("dropout", 0, [](mpt_tensor *x, mpt_tensor **out) { return mpt_dropout(x, 0.1, out); }));

    const std::pair<mpt_dtype, bool> targets[] = {{MPT_BF16, true}, {MPT_F16, true}, {MPT_F8E4M3, false}, {MPT_F8E5M2, false}};
    for (const auto &[target, gradient] : targets) {
        const mpt_dtype to = target;
        Op down = unary(std::string("cast_to_") + mpt_dtype_name(to), 0,
                        [to](mpt_tensor *x, mpt_tensor **out) { return mpt_cast(x, to, out); });
        down.dtypes = {MPT_F32};
        down.backward = gradient;
        table.push_back(down);
    }
    Op up = unary("cast_to_f32", 0, [](mpt_tensor *x, mpt_tensor **out) { return mpt_cast(x, MPT_F32, out); });
    up.dtypes = {MPT_BF16, MPT_F16};
    table.push_back(up);
    for (mpt_dtype from : {MPT_F8E4M3, MPT_F8E5M2}) {
        table.push_back({"cast_to_f32",
                         [from](Inputs &in) {
                             mpt_tensor *small;
                             OK(mpt_cast(in.floats(activations, MPT_F32), from, &small));
                             in.keep(small);
                             Work work;
                             work.forward = [=] {
                                 return results("mpt_cast", [=](mpt_tensor **out) { return mpt_cast(small, MPT_F32, out); });
                             };
                             work.input_bytes = bytes_of(small);
                             return work;
                         },
                         false,
                         {from}});
    }
}

void add_reductions(std::vector<Op> &table) {
    const auto sum = [](std::vector<int32_t> dims) {
        return [dims](mpt_tensor *x, mpt_tensor **out) {
            return mpt_sum(x, static_cast<int32_t>(dims.size()), dims.empty() ? nullptr : dims.data(), 0, out);
        };
    };
    table.push_back(unary("sum_all", 0, sum({})));
    table.push_back(unary("sum_rows", 0, sum({0})));
    table.push_back(unary("sum_columns", 0, sum({1})));
    table.push_back(unary("cumsum", 0, [](mpt_tensor *x, mpt_tensor **out) { return mpt_cumsum(x, -1, out); }));
    table.push_back(
        without_gradient(unary("argmax", 0, [](mpt_tensor *x, mpt_tensor **out) { return mpt_argmax(x, -1, 0, out); })));
    table.push_back(unary("softmax", 1, [](mpt_tensor *x, mpt_tensor **out) { return mpt_softmax(x, -1, out); }));
    table.push_back(unary("log_softmax", 1, [](mpt_tensor *x, mpt_tensor **out) { return mpt_log_softmax(x, -1, out); }));
    table.push_back({"cross_entropy_256x32000", [](Inputs &in) {
                         mpt_tensor *logits = in.floats({256, 32000}), *target = in.indices({256}, 32000);
                         Work work;
                         work.forward = [=] {
                             return results("mpt_cross_entropy",
                                            [=](mpt_tensor **out) { return mpt_cross_entropy(logits, target, nullptr, out); });
                         };
                         work.reread = bytes_of(logits) + bytes_of(target);
                         return work;
                     }});
    table.push_back(binary("mse", activations, true,
                           [](mpt_tensor *a, mpt_tensor *b, mpt_tensor **out) { return mpt_mse(a, b, MPT_REDUCTION_MEAN, out); }));
    table.push_back(
        {"layer_norm", [](Inputs &in) {
             mpt_tensor *x = in.floats(activations), *w = in.floats({features}, MPT_F32), *b = in.floats({features}, MPT_F32);
             Work work;
             work.forward = [=] {
                 return results("mpt_layer_norm", [=](mpt_tensor **out) { return mpt_layer_norm(x, 1, w, b, 1e-5, out); });
             };
             work.reread = bytes_of(x) + bytes_of(w);
             return work;
         }});
    table.push_back({"rms_norm", [](Inputs &in) {
                         mpt_tensor *x = in.floats(activations), *w = in.floats({features}, MPT_F32);
                         Work work;
                         work.forward = [=] {
                             return results("mpt_rms_norm", [=](mpt_tensor **out) { return mpt_rms_norm(x, w, 1e-5, out); });
                         };
                         work.reread = bytes_of(x) + bytes_of(w);
                         return work;
                     }});
    table.push_back({"batch_norm_32x64x56x56", [](Inputs &in) {
                         mpt_tensor *x = in.image(32, 64, 56, 56), *w = in.floats({64}, MPT_F32), *b = in.floats({64}, MPT_F32);
                         Work work;
                         work.forward = [=] {
                             return results("mpt_batch_norm", [=](mpt_tensor **out) {
                                 return mpt_batch_norm(x, w, b, nullptr, nullptr, 1, 0.1, 1e-5, out);
                             });
                         };
                         work.reread = bytes_of(x) + bytes_of(w);
                         return work;
                     }});
    table.push_back(
        of_image("max_pool2d_32x64x56x56", 1, [](mpt_tensor *x, mpt_tensor **out) { return mpt_max_pool2d(x, nullptr, out); }));
    table.push_back(
        of_image("avg_pool2d_32x64x56x56", 0, [](mpt_tensor *x, mpt_tensor **out) { return mpt_avg_pool2d(x, nullptr, out); }));
}

// A table of 32000 rows of 256, and 8192 of them: read are those rows and the indices; the gradient is the whole table.
template <class Call>
Op lookup(std::string name, Call call) {
    return {name, [=](Inputs &in) {
                constexpr int64_t rows = 32000, width = 256, picked = 8192;
                mpt_tensor *weight = in.floats({rows, width}), *index = in.indices({picked}, rows);
                Work work;
                work.forward = [=] { return results(name.c_str(), [=](mpt_tensor **out) { return call(weight, index, out); }); };
                work.input_bytes = bytes_of(weight) * picked / rows + bytes_of(index);
                work.reread = bytes_of(index);
                return work;
            }};
}

void add_moves(std::vector<Op> &table) {
    table.push_back(unary("transpose_copy", 0, [](mpt_tensor *x, mpt_tensor **out) {
        mpt_tensor *view = nullptr;
        const mpt_status status = mpt_transpose(x, 2, nullptr, &view);
        if (status != MPT_OK) return status;
        const Tensor owner(view);
        return mpt_contiguous(view, out);
    }));
    table.push_back(binary("concat", activations, false, [](mpt_tensor *a, mpt_tensor *b, mpt_tensor **out) {
        mpt_tensor *const both[] = {a, b};
        return mpt_concat(both, 2, 1, out);
    }));
    table.push_back(lookup("embedding", [](mpt_tensor *weight, mpt_tensor *index, mpt_tensor **out) {
        return mpt_embedding(index, weight, -1, out);
    }));
    table.push_back(lookup("index_select",
                           [](mpt_tensor *x, mpt_tensor *index, mpt_tensor **out) { return mpt_index_select(x, 0, index, out); }));
}

void add_recurrent_and_optimizers(std::vector<Op> &table) {
    table.push_back({"lstm_cell_2048x1024", [](Inputs &in) {
                         mpt_tensor *gates = in.floats({2048, 4 * 1024}), *cell = in.floats({2048, 1024});
                         Work work;
                         work.forward = [=] {
                             mpt_tensor *hidden, *next;
                             OK(mpt_lstm_cell(gates, cell, &hidden, &next));
                             Tensors all;
                             all.emplace_back(hidden);
                             all.emplace_back(next);
                             return all;
                         };
                         work.reread = bytes_of(gates) + bytes_of(cell);
                         return work;
                     }});
    table.push_back({"adamw_4194304",
                     [](Inputs &in) {
                         mpt_tensor *parameter = in.floats({4096, 1024}), *grad;
                         OK(mpt_tensor_set_requires_grad(parameter, 1));
                         OK(mpt_tensor_grad(parameter, &grad));
                         in.keep(grad);
                         OK(mpt_tensor_random_normal(grad, 0, 1));
                         mpt_optimizer *made;
                         OK(mpt_optimizer_adamw(in.context(), nullptr, &made));
                         const std::shared_ptr<mpt_optimizer> adamw(made, mpt_optimizer_release);
                         OK(mpt_optimizer_add_group(made, "all", &parameter, 1, nullptr));
                         Work work;
                         work.forward = [=] {
                             OK(mpt_optimizer_step(adamw.get(), nullptr));
                             return Tensors();
                         };
                         // Both moments are read and written in f32, and so is the master of a 16-bit parameter, which then is only
                         // written.
                         const double state = 4096.0 * 1024 * sizeof(float), own = bytes_of(parameter);
                         const bool master = own < state;
                         work.input_bytes = 2 * state + bytes_of(grad) + (master ? state : own);
                         work.output_bytes = 2 * state + own + (master ? state : 0);
                         return work;
                     },
                     false});
}

}  // namespace

std::vector<Op> ops_table() {
    std::vector<Op> table;
    add_products(table);
    add_elementwise(table);
    add_reductions(table);
    add_moves(table);
    add_recurrent_and_optimizers(table);
    return table;
}
