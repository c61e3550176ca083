// What the three kernels of a convolution share.
//
// The batch is cut into parts. Activations with C innermost are used where they lie; others, and the weights always,
// are copied to and from the form that oneDNN asks for, in the workspace.
#pragma once

#include "forms.h"
#include "primitives.h"
#include "schedule.h"

namespace mpt::onednn {

using dnnl::memory;

// [N, C, H, W].
struct Activation {
    memory::data_type type;
    memory::dims shape, strides;
    bool channels_last = true;  // dense with C innermost

    Activation(const Device &device, const mpt_mod_operand &operand);
    std::size_t offset(std::int64_t image) const { return static_cast<std::size_t>(image * strides[0]) * bytes_of(type); }
    memory::dims images(std::int64_t count) const { return {count, shape[1], shape[2], shape[3]}; }
    std::int64_t pixels() const { return shape[2] * shape[3]; }
    // As it lies in memory.
    memory::desc form(std::int64_t count) const;
};

// One convolution: its sizes, and oneDNN's choices for some of the images.
class Convolution {
public:
    Convolution(const Device &device, const mpt_mod_call &call, const mpt_mod_operand &src, const mpt_mod_operand &w,
                const mpt_mod_operand &dst);

    Range images(int part) const { return piece(x.shape[0], 1, part, parts); }

    dnnl::convolution_forward::primitive_desc forward(std::int64_t count, const memory::desc *bias) const;
    dnnl::convolution_backward_data::primitive_desc backward_data(std::int64_t count) const;
    // dw in the form of *like when it is given: all parts have to agree on one.
    dnnl::convolution_backward_weights::primitive_desc backward_weights(std::int64_t count, const memory::desc *db,
                                                                        const memory::desc *like) const;

    // A copy between two forms of the weights, cut along the output channels where both forms allow it.
    Phase copy_weights(Schedule &schedule, const memory::desc &from, Place source, const memory::desc &to, Place target) const;

    const Device &device;
    Activation x, y;
    memory::desc weights;        // as they lie in memory
    memory::dims weights_shape;  // with several groups, they are a dimension of their own
    memory::dims stride, dilation, before, after;
    std::int64_t groups;
    bool in_place = false;  // the activations are used where they lie
    int parts = 1;

private:
    memory::desc any_weights(memory::data_type type) const { return {weights_shape, type, memory::format_tag::any}; }
    memory::desc wanted(const Activation &a, std::int64_t count) const {
        return {a.images(count), a.type, in_place ? memory::format_tag::nhwc : memory::format_tag::any};
    }
};

}  // namespace mpt::onednn
