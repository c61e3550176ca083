#include "device/attrs/conv.h"
#include "convolution.h"

#include <algorithm>

namespace mpt::onednn {
namespace {

constexpr dnnl::algorithm direct = dnnl::algorithm::convolution_direct;

const mpt_attrs_conv2d &attributes_of(const mpt_mod_call &call) {
    if (call.attrs_bytes != sizeof(mpt_attrs_conv2d)) throw Failure{MPT_ERROR_INTERNAL, "attributes of another size"};
    return *static_cast<const mpt_attrs_conv2d *>(call.attrs);
}

memory::desc weights_form(const Device &device, const mpt_mod_operand &w, std::int64_t groups) {
    refuse_empty(w);
    memory::dims shape(w.shape, w.shape + 4), strides = plain_strides(w);
    if (groups > 1) {
        shape[0] /= groups;
        shape.insert(shape.begin(), groups);
        strides.insert(strides.begin(), shape[1] * strides[0]);
    }
    return {shape, type_of(device, w), strides};
}

// oneDNN puts its brgemm convolutions before its direct ones on AVX-512; measured, the direct ones are never slower there
// and much faster for one input channel. With AMX, and for 1x1, the order is right.
bool slower(std::string_view implementation) {
    const auto has = [&](std::string_view word) { return implementation.find(word) != std::string_view::npos; };
    return implementation.find("brg") == 0 && has("avx512_core") && !has("amx") && !has("1x1");
}

}  // namespace

Activation::Activation(const Device &device, const mpt_mod_operand &operand) : type(type_of(device, operand)) {
    refuse_empty(operand);
    shape.assign(operand.shape, operand.shape + 4);
    strides = plain_strides(operand);
    std::int64_t expected = 1;
    for (const int i : {1, 3, 2, 0}) {
        if (shape[i] > 1 && strides[i] != expected) channels_last = false;
        expected *= shape[i];
    }
}

memory::desc Activation::form(std::int64_t count) const {
    if (channels_last) return {images(count), type, memory::format_tag::nhwc};
    return {images(count), type, strides};
}

Convolution::Convolution(const Device &device, const mpt_mod_call &call, const mpt_mod_operand &src, const mpt_mod_operand &w,
                         const mpt_mod_operand &dst)
    : device(device), x(device, src), y(device, dst), groups(attributes_of(call).groups) {
    const mpt_attrs_conv2d &a = attributes_of(call);
    weights = weights_form(device, w, groups);
    weights_shape.assign(w.shape, w.shape + 4);
    if (groups > 1) weights_shape = {groups, w.shape[0] / groups, w.shape[1], w.shape[2], w.shape[3]};
    for (int i = 0; i < 2; ++i) {
        stride.push_back(a.stride[i]);
        dilation.push_back(a.dilation[i] - 1);
        before.push_back(a.padding[i]);
        // What the last window covers beyond the image; less than the padding where the stride leaves something over.
        after.push_back((y.shape[2 + i] - 1) * a.stride[i] + (w.shape[2 + i] - 1) * a.dilation[i] + 1 - x.shape[2 + i] -
                        a.padding[i]);
    }
    in_place = x.channels_last && y.channels_last;
    const double flops =
        2.0 * static_cast<double>(y.shape[0] * y.shape[1] * y.pixels()) * static_cast<double>(w.shape[1] * w.shape[2] * w.shape[3]);
    // Waking a thread costs about as much as this many operations.
    const auto worth = static_cast<std::int64_t>(std::clamp(flops / 5e5, 1.0, static_cast<double>(device.threads.count)));
    parts = static_cast<int>(std::min(worth, x.shape[0]));
    // The portable kernels cut finer than by image; measured, a thread of theirs does this share of one here.
    const double portable = x.type == memory::data_type::f32 ? 0.75 : 0.35;
    if (static_cast<double>(worth) * portable > parts) refuse("too few images to keep the threads busy");
}

dnnl::convolution_forward::primitive_desc Convolution::forward(std::int64_t count, const memory::desc *bias) const {
    using P = dnnl::convolution_forward;
    const auto kind = dnnl::prop_kind::forward_training;
    const memory::desc w = any_weights(x.type);
    if (bias)
        return choose<P>(device.engine, slower, std::tuple<>(), kind, direct, wanted(x, count), w, *bias, wanted(y, count), stride,
                         dilation, before, after);
    return choose<P>(device.engine, slower, std::tuple<>(), kind, direct, wanted(x, count), w, wanted(y, count), stride, dilation,
                     before, after);
}

dnnl::convolution_backward_data::primitive_desc Convolution::backward_data(std::int64_t count) const {
    return choose<dnnl::convolution_backward_data>(device.engine, slower, std::tuple(forward(count, nullptr)), direct,
                                                   wanted(x, count), any_weights(x.type), wanted(y, count), stride, dilation,
                                                   before, after);
}

dnnl::convolution_backward_weights::primitive_desc Convolution::backward_weights(std::int64_t count, const memory::desc *db,
                                                                                 const memory::desc *like) const {
    using P = dnnl::convolution_backward_weights;
    const memory::desc dw = like ? *like : any_weights(memory::data_type::f32);
    const std::tuple hint(forward(count, nullptr));
    if (db)
        return choose<P>(device.engine, slower, hint, direct, wanted(x, count), dw, *db, wanted(y, count), stride, dilation, before,
                         after);
    return choose<P>(device.engine, slower, hint, direct, wanted(x, count), dw, wanted(y, count), stride, dilation, before, after);
}

Phase Convolution::copy_weights(Schedule &schedule, const memory::desc &from, Place source, const memory::desc &to,
                                Place target) const {
    constexpr std::int64_t grain = 64;  // a multiple of every block of channels
    const memory::dims &shape = weights_shape;
    const int pieces = static_cast<int>(std::min<std::int64_t>(parts, shape[0] / grain));
    Phase phase(std::max(pieces, 1));
    if (pieces <= 1 || groups > 1 || shape[0] % grain != 0) {
        phase.resize(1);
        phase[0].push_back(schedule.reorder(from, source, to, target));
        return phase;
    }
    for (int i = 0; i < pieces; ++i) {
        const Range range = piece(shape[0], grain, i, pieces);
        memory::dims size = shape, start(shape.size(), 0);
        size[0] = range.size();
        start[0] = range.begin;
        phase[i].push_back(schedule.reorder(from.submemory_desc(size, start), source, to.submemory_desc(size, start), target));
    }
    return phase;
}

}  // namespace mpt::onednn
