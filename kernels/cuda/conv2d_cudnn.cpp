// Convolutions through cuDNN: a graph of the convolution and, where there is a bias, its sum with it, which is rounded once.
// Filters are given to it with their channels innermost, copied where they lie otherwise, as are images of few channels: it would
// make the same copies more slowly.
#include <algorithm>
#include <array>
#include <optional>
#include <sstream>

#include "conv.h"
#include "conv_copies.h"
#include "cudnn_operations.h"

namespace mpt::cuda {

#ifdef MPT_HAS_CUDNN

namespace {

enum Id : std::int64_t { kImages = 1, kFilter, kResult, kProduct, kBias };  // of the graph's tensors

Extents strides_of(const std::int64_t *shape, const std::array<int, 4> &order) {
    Extents strides;
    std::int64_t stride = 1;
    for (int d : order) {
        strides[static_cast<std::size_t>(d)] = stride;
        stride *= shape[d];
    }
    return strides;
}

// The strides of a dense image of either kind, those of single rows, too, as cuDNN tells layouts apart by them. Other images could
// overlap, which it does not check.
Extents dense_strides(const mpt_mod_operand &x) {
    for (const std::array<int, 4> &order : {std::array{1, 3, 2, 0}, std::array{3, 2, 1, 0}}) {
        const Extents strides = strides_of(x.shape, order);
        bool same = true;
        for (std::size_t d = 0; d < 4; ++d) same &= x.shape[d] == 1 || x.strides[d] == strides[d];
        if (same) return strides;
    }
    throw CudnnRefuses{};
}

// The operands of a call, or those of the copies that cuDNN is given.
struct Operands {
    mpt_mod_operand first, second, result;
    const mpt_mod_operand *bias;  // may be none
};

CudnnTrial trial_of(const mpt_attrs_conv2d &at, const Operands &operands, ConvPass pass, const CudnnRules &rules) {
    std::ostringstream key;
    key << "convolution " << static_cast<int>(pass) << rules.tensor_cores << rules.prefer_tensor_cores << rules.fallback << ", " << at.groups;
    for (const auto &pair : {at.stride, at.padding, at.dilation}) key << ' ' << pair[0] << 'x' << pair[1];
    CudnnTrial trial{key.str(), {}, {}};
    cudnn_operand(trial, kImages, operands.first);
    cudnn_operand(trial, kFilter, operands.second);
    cudnn_operand(trial, kResult, operands.result);
    if (operands.bias) cudnn_operand(trial, kBias, *operands.bias);
    return trial;
}

class Graph {
public:
    Graph(const Cudnn &cudnn, const mpt_attrs_conv2d &at, const Operands &operands, ConvPass pass) : cudnn_(cudnn) {
        const auto &[first, second, result, bias] = operands;
        check_extents(at, pass == ConvPass::InputGradient ? result : first, pass == ConvPass::FilterGradient ? result : second,
                      pass == ConvPass::Forward         ? result
                      : pass == ConvPass::InputGradient ? first
                                                        : second);
        // With an f32 bias beside 16-bit images cuDNN 9.14 finds engines whose results are wrong.
        if (bias && bias->dtype != result.dtype) throw CudnnRefuses{};

        CudnnDescriptor convolution(cudnn, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
        const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
        const auto both = [](const std::int32_t(&x)[2]) { return std::array<std::int64_t, 2>{x[0], x[1]}; };
        const auto stride = both(at.stride), padding = both(at.padding), dilation = both(at.dilation);
        convolution.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT)
            .set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode)
            .set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, std::int64_t{2})
            .set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 2, padding.data())
            .set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 2, padding.data())
            .set(CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 2, dilation.data())
            .set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 2, stride.data())
            .finalize();

        // With a bias the product is f32 and never stored. A gradient in f32 of 16-bit images is the copy of such a product: cuDNN
        // stores the gradient itself in the images' format alone.
        const CudnnDescriptor a = tensor(kImages, first), b = tensor(kFilter, second), y = tensor(kResult, result);
        std::optional<CudnnDescriptor> product;
        const bool wide = result.dtype != first.dtype;
        if (bias || wide)
            product.emplace(cudnn_tensor(cudnn, kProduct, CUDNN_DATA_FLOAT, shape_of(result), dense_strides(result), CudnnPlace::Nowhere));
        operations.push_back(operation(pass, convolution, a, b, product ? *product : y));
        if (bias)
            operations.push_back(sum(*product, *bias, y));
        else if (wide)
            operations.push_back(cudnn_pointwise(cudnn, CUDNN_POINTWISE_IDENTITY, *product, nullptr, y));
    }

    std::vector<CudnnDescriptor> operations;

private:
    static Extents shape_of(const mpt_mod_operand &x) { return {x.shape[0], x.shape[1], x.shape[2], x.shape[3]}; }

    // A transposed convolution may have rows that its convolution has not.
    static void check_extents(const mpt_attrs_conv2d &at, const mpt_mod_operand &x, const mpt_mod_operand &w,
                              const mpt_mod_operand &y) {
        for (int d = 0; d < 2; ++d) {
            const std::int64_t room = x.shape[2 + d] + 2 * std::int64_t{at.padding[d]} - at.dilation[d] * (w.shape[2 + d] - 1) - 1;
            if (room < 0 || room / at.stride[d] + 1 != y.shape[2 + d]) throw CudnnRefuses{};
        }
    }

    CudnnDescriptor tensor(std::int64_t id, const mpt_mod_operand &x) const {
        return cudnn_tensor(cudnn_, id, cudnn_type(x.dtype), shape_of(x), dense_strides(x));
    }

    CudnnDescriptor operation(ConvPass pass, const CudnnDescriptor &convolution, const CudnnDescriptor &a, const CudnnDescriptor &b,
                              const CudnnDescriptor &y) const {
        switch (pass) {
            case ConvPass::Forward: {
                CudnnDescriptor forward(cudnn_, CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
                forward.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, 1.0f)
                    .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, 0.0f)
                    .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, convolution)
                    .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, a)
                    .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, b)
                    .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, y)
                    .finalize();
                return forward;
            }
            case ConvPass::InputGradient: {
                CudnnDescriptor gradient(cudnn_, CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR);
                gradient.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, 1.0f)
                    .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA, 0.0f)
                    .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, convolution)
                    .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, a)
                    .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, b)
                    .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, y)
                    .finalize();
                return gradient;
            }
            default: {
                CudnnDescriptor gradient(cudnn_, CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR);
                gradient.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, 1.0f)
                    .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA, 0.0f)
                    .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, convolution)
                    .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, a)
                    .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, b)
                    .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, y)
                    .finalize();
                return gradient;
            }
        }
    }

    CudnnDescriptor sum(const CudnnDescriptor &product, const mpt_mod_operand &bias, const CudnnDescriptor &y) const {
        if (bias.shape[0] > 1 && bias.strides[0] != 1) throw CudnnRefuses{};
        const std::int64_t n = bias.shape[0];
        const CudnnDescriptor row = cudnn_tensor(cudnn_, kBias, cudnn_type(bias.dtype), {1, n, 1, 1}, {n, 1, n, n});
        return cudnn_pointwise(cudnn_, CUDNN_POINTWISE_ADD, product, &row, y);
    }

    const Cudnn &cudnn_;
};

class CudnnConv final : public Kernel {
public:
    CudnnConv(Device &device, const Cudnn &cudnn, const mpt_mod_call &call, ConvPass pass, const CudnnRules &rules)
        : device_(device), gradient_(pass == ConvPass::FilterGradient), has_bias_(call.n_in > 2 && present(call.in[2])) {
        const auto &attrs = *static_cast<const mpt_attrs_conv2d *>(call.attrs);
        Operands at{call.in[0], call.in[1], call.out[0], has_bias_ ? &call.in[2] : nullptr};
        if (attrs.groups == 1 && at.first.dtype != MPT_F32) {
            if (pass == ConvPass::Forward && at.first.shape[1] % kConvPack != 0 && channels_innermost(at.result)) {
                images_.emplace(at.first, 1);
                at.first = images_->to;
            }
            mpt_mod_operand &filter = gradient_ ? at.result : at.second;
            const bool fast = channels_innermost(at.first) && channels_innermost(gradient_ ? at.second : at.result);
            const std::int64_t channels = images_ ? at.first.shape[1] : filter.shape[1];
            if (fast && ConvFilter::can(filter) && ConvFilter(filter, channels).differs()) {
                filter_.emplace(filter, channels);
                filter = filter_->last;
            }
            if (images_ && filter.shape[1] != channels) throw CudnnRefuses{};
        }
        plan_ = std::make_unique<CudnnPlan>(device, cudnn, Graph(cudnn, attrs, at, pass).operations, rules, trial_of(attrs, at, pass, rules));
        take(workspace_bytes, plan_->workspace_bytes());
        if (filter_) filter_at_ = take(workspace_bytes, filter_->bytes());
        if (images_) images_->at = take(workspace_bytes, images_->bytes());
    }
    void take_other(std::unique_ptr<Kernel> otherwise) {
        otherwise_ = std::move(otherwise);
        workspace_bytes = std::max(workspace_bytes, otherwise_->workspace_bytes);
    }

    void launch(const void *const *in, void *const *out, void *workspace, cudaStream_t stream) override {
        std::vector<std::int64_t> ids{kImages, kFilter, kResult};
        std::vector<void *> addresses{const_cast<void *>(in[0]), const_cast<void *>(in[1]), out[0]};
        if (has_bias_) {
            ids.push_back(kBias);
            addresses.push_back(const_cast<void *>(in[2]));
        }
        if (images_) addresses[0] = static_cast<char *>(workspace) + images_->at;
        if (filter_) addresses[gradient_ ? 2 : 1] = static_cast<char *>(workspace) + filter_at_;
        for (const void *address : addresses)
            if (reinterpret_cast<std::uintptr_t>(address) % 16 != 0) return otherwise_->launch(in, out, workspace, stream);
        if (images_) images_->place(device_, in[0], workspace, stream);
        if (filter_ && !gradient_) filter_->to_last(in[1], addresses[1], stream);
        plan_->launch(ids, addresses, workspace, stream);
        if (filter_ && gradient_) filter_->from_last(addresses[2], out[0], stream);
    }
    const char *name() const override { return "cudnn:conv"; }

private:
    static bool channels_innermost(const mpt_mod_operand &x) { return x.strides[1] == 1; }

    const Device &device_;
    bool gradient_, has_bias_;
    std::optional<ConvImages> images_;
    std::optional<ConvFilter> filter_;
    std::size_t filter_at_ = 0;
    std::unique_ptr<CudnnPlan> plan_;
    std::unique_ptr<Kernel> otherwise_;
};

}  // namespace

std::unique_ptr<Kernel> prepare_conv_cudnn(Device &device, const mpt_mod_call &call, ConvPass pass,
                                           std::unique_ptr<Kernel> otherwise) {
    for (const mpt_mod_operand *x : {&call.in[0], &call.in[1], &call.out[0]})
        if (numel(*x) == 0) return otherwise;
    const Cudnn *cudnn = device.cudnn();
    if (!cudnn) return otherwise;
    try {
        const bool f32 = call.in[0].dtype == MPT_F32;
        const bool wide = call.in[0].dtype != call.out[0].dtype;
        const CudnnRules rules{.tensor_cores = !f32 || device.tf32, .prefer_tensor_cores = !f32 || device.tf32, .fallback = !wide};
        auto kernel = std::make_unique<CudnnConv>(device, *cudnn, call, pass, rules);
        kernel->take_other(std::move(otherwise));
        return kernel;
    } catch (CudnnRefuses) {
        cudaGetLastError();  // of what it tried in vain
        return otherwise;
    }
}

#else

std::unique_ptr<Kernel> prepare_conv_cudnn(Device &, const mpt_mod_call &, ConvPass, std::unique_ptr<Kernel> otherwise) {
    return otherwise;
}

#endif

}  // namespace mpt::cuda
