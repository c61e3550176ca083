// "conv2d" and "conv2d_dgrad" on oneDNN's convolutions.
#include <iterator>
#include <string>

#include "convolution.h"

namespace mpt::onednn {
namespace {

// The weights in oneDNN's form. Small ones are copied by every part for itself, which costs less than waiting for
// each other; large ones once, in a phase of their own.
class SharedWeights {
public:
    SharedWeights(Schedule &schedule, const Convolution &conv, const memory::desc &wanted, Place source)
        : lies_(conv.weights), wanted_(wanted), place_(source) {
        constexpr std::size_t large = 256 * 1024;
        if (wanted == conv.weights || conv.parts == 1 || wanted.get_size() < large) return;
        place_ = schedule.reserve(wanted);
        lies_ = wanted;
        schedule.add(conv.copy_weights(schedule, conv.weights, source, wanted, place_));
    }
    void bind(Schedule &schedule, Part &part, Step &step) const {
        schedule.bind_input(part, step, DNNL_ARG_WEIGHTS, lies_, place_, wanted_);
    }

private:
    memory::desc lies_, wanted_;
    Place place_;
};

}  // namespace

std::unique_ptr<Kernel> prepare_conv2d(const Device &device, const mpt_mod_call &call) {
    const Convolution conv(device, call, call.in[0], call.in[1], call.out[0]);
    memory::desc bias;
    const bool biased = call.n_in > 2 && present(call.in[2]);
    if (biased) bias = vector_form(device, call.in[2], {call.in[2].shape[0]});

    auto made = std::make_unique<Schedule>(device);
    const auto whole = conv.forward(conv.images(0).size(), biased ? &bias : nullptr);
    const SharedWeights weights(*made, conv, whole.weights_desc(), {Place::In, 1, 0});
    made->name = std::string("onednn:") + whole.impl_info_str();
    Phase phase;
    for (int i = 0; i < conv.parts; ++i) {
        const Range images = conv.images(i);
        const auto desc = conv.forward(images.size(), biased ? &bias : nullptr);
        if (desc.weights_desc() != whole.weights_desc()) refuse("parts of two sizes ask for the weights in two forms");
        Step step = made->step<dnnl::convolution_forward>(desc);
        Part part, after;
        made->bind_input(part, step, DNNL_ARG_SRC, conv.x.form(images.size()), {Place::In, 0, conv.x.offset(images.begin)},
                         desc.src_desc());
        weights.bind(*made, part, step);
        if (biased) step.argument(DNNL_ARG_BIAS, bias, {Place::In, 2, 0});
        made->bind_output(after, step, DNNL_ARG_DST, conv.y.form(images.size()), {Place::Out, 0, conv.y.offset(images.begin)},
                          desc.dst_desc());
        part.push_back(std::move(step));
        part.insert(part.end(), std::make_move_iterator(after.begin()), std::make_move_iterator(after.end()));
        phase.push_back(std::move(part));
    }
    made->add(std::move(phase));
    return made;
}

std::unique_ptr<Kernel> prepare_conv2d_dgrad(const Device &device, const mpt_mod_call &call) {
    if (call.n_in > 2 && present(call.in[2])) refuse("the gradient of the input adds no bias");
    const Convolution conv(device, call, call.out[0], call.in[1], call.in[0]);
    auto made = std::make_unique<Schedule>(device);
    const auto whole = conv.backward_data(conv.images(0).size());
    const SharedWeights weights(*made, conv, whole.weights_desc(), {Place::In, 1, 0});
    made->name = std::string("onednn:") + whole.impl_info_str();
    Phase phase;
    for (int i = 0; i < conv.parts; ++i) {
        const Range images = conv.images(i);
        const auto desc = conv.backward_data(images.size());
        if (desc.weights_desc() != whole.weights_desc()) refuse("parts of two sizes ask for the weights in two forms");
        Step step = made->step<dnnl::convolution_backward_data>(desc);
        Part part, after;
        made->bind_input(part, step, DNNL_ARG_DIFF_DST, conv.y.form(images.size()), {Place::In, 0, conv.y.offset(images.begin)},
                         desc.diff_dst_desc());
        weights.bind(*made, part, step);
        made->bind_output(after, step, DNNL_ARG_DIFF_SRC, conv.x.form(images.size()), {Place::Out, 0, conv.x.offset(images.begin)},
                          desc.diff_src_desc());
        part.push_back(std::move(step));
        part.insert(part.end(), std::make_move_iterator(after.begin()), std::make_move_iterator(after.end()));
        phase.push_back(std::move(part));
    }
    made->add(std::move(phase));
    return made;
}

}  // namespace mpt::onednn
