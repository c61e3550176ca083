// Attention and its gradient through cuDNN. It is given the products, the mask and the softmax as a graph of operations, in which
// it finds fused attention [Dao 2023]; see docs/decisions/0015-attention-graphs.md for what the graphs must look like.
#include <algorithm>
#include <bit>
#include <deque>
#include <limits>
#include <span>

#include "attention.h"
#include "cudnn_operations.h"
#include "device/attrs/attention.h"
#include "workspace.h"

namespace mpt::cuda::attention {

#ifdef MPT_HAS_CUDNN

namespace {

constexpr std::size_t kOldest = 91002;  // 9.10.2: those before give wrong results or refuse causal shapes
constexpr int kUntried = 100;           // capabilities from here on have other kernels, which were not compared with ours
constexpr std::int64_t kLeast = 64;     // rows and keys: a plan takes long to make, and little work is not done faster
constexpr std::int64_t kMostColumns = 128;
constexpr std::int64_t kMostScores = std::int64_t{1} << 29;  // of the gradient, which stores them in 16 bits: 1 GiB
// Of the gradient, rows and keys: cuDNN works out exp(0 - lse) behind the last of them, which is infinite where all scores are
// below -88, and makes NaN of it.
constexpr std::int64_t kBlock = 128;

// Of the graph's tensors; kInner: the first of those within.
enum Id : std::int64_t { kQ = 1, kK, kV, kY, kLse, kDy, kDq, kDk, kDv, kDelta, kInner };

Extents shape_of(const mpt_mod_operand &x) {
    return {x.shape[0], x.shape[1], x.shape[2], x.shape[3]};
}

// Those of extents of 1 are made up, since cuDNN looks at them. Rows that overlap, and tensors whose offsets need more than 32
// bits, are not cuDNN's.
Extents strides_of(const mpt_mod_operand &x) {
    Extents strides{x.strides[0], x.strides[1], x.strides[2], x.strides[3]};
    std::int64_t span = 1, last = 0;
    for (std::size_t d = 0; d < 4; ++d) {
        if (x.shape[d] == 1) continue;
        if (strides[d] <= 0) throw CudnnRefuses{};
        span = std::max(span, x.shape[d] * strides[d]);
        last += (x.shape[d] - 1) * strides[d];
    }
    if (last > std::numeric_limits<std::int32_t>::max()) throw CudnnRefuses{};
    for (std::size_t d = 0; d < 4; ++d)
        if (x.shape[d] == 1) strides[d] = span;
    return strides;
}

Extents dense(const Extents &shape) {
    return {shape[1] * shape[2] * shape[3], shape[2] * shape[3], shape[3], 1};
}

class Graph {
public:
    Graph(const Cudnn &cudnn, const mpt_mod_call &call) : cudnn_(cudnn), call_(call), type_(cudnn_type(call.in[0].dtype)) {
        const mpt_mod_operand &q = call.in[0], &k = call.in[1];
        const auto &attrs = attrs_of<mpt_attrs_attention>(call);
        scores_ = {q.shape[0], q.shape[1], q.shape[2], k.shape[2]};
        rows_ = {q.shape[0], q.shape[1], q.shape[2], 1};
        causal_ = attrs.causal != 0 && q.shape[2] > 1;  // a single row sees everything
        scale_ = &number(std::bit_cast<std::uint32_t>(static_cast<float>(attrs.scale)), CUDNN_DATA_FLOAT);
    }

    void forward() {
        const CudnnDescriptor &q = outer(kQ, call_.in[0]), &k = transposed(kK, call_.in[1]), &v = outer(kV, call_.in[2]);
        const CudnnDescriptor &seen = mask(binary(CUDNN_POINTWISE_MUL, product(q, k), *scale_));
        const CudnnDescriptor &largest = reduced(CUDNN_REDUCE_TENSOR_MAX, seen);
        const CudnnDescriptor &weights = unary(CUDNN_POINTWISE_EXP, binary(CUDNN_POINTWISE_SUB, seen, largest));
        const CudnnDescriptor &total = reduced(CUDNN_REDUCE_TENSOR_ADD, weights);
        const CudnnDescriptor &logarithm = inner(CUDNN_DATA_FLOAT, rows_);
        add(cudnn_pointwise(cudnn_, CUDNN_POINTWISE_LOG, total, nullptr, logarithm));
        add(cudnn_pointwise(cudnn_, CUDNN_POINTWISE_ADD, largest, &logarithm, row_sums(kLse)));
        const CudnnDescriptor &probabilities = inner(type_, scores_);
        add(cudnn_pointwise(cudnn_, CUDNN_POINTWISE_DIV, weights, &total, probabilities));
        add(cudnn_product(cudnn_, probabilities, v, outer(kY, call_.out[0])));
    }

    // The gradient of the scores is stored, so that that of q is one product behind and not the sum, in changing order, of what
    // blocks of keys give: that costs room in the workspace, but it is the same in every run.
    void gradient() {
        const CudnnDescriptor &q = outer(kQ, call_.in[0]), &k = transposed(kK, call_.in[1]), &v = transposed(kV, call_.in[2]);
        const CudnnDescriptor &y = outer(kY, call_.in[4]), &dy = outer(kDy, call_.in[6]), &lse = row_sums(kLse);
        // delta_i = sum_e y_ie dy_ie.
        const CudnnDescriptor &factors = inner(CUDNN_DATA_FLOAT, shape_of(call_.in[4]));
        add(cudnn_pointwise(cudnn_, CUDNN_POINTWISE_MUL, dy, &y, factors));
        const CudnnDescriptor &sums = reduced(CUDNN_REDUCE_TENSOR_ADD, factors), &delta = row_sums(kDelta);
        add(cudnn_pointwise(cudnn_, CUDNN_POINTWISE_MUL, sums, &number(std::bit_cast<std::uint32_t>(1.0f), CUDNN_DATA_FLOAT),
                            delta));
        // The probabilities, and dv from them.
        const CudnnDescriptor &logarithms = binary(CUDNN_POINTWISE_SUB, binary(CUDNN_POINTWISE_MUL, product(q, k), *scale_), lse);
        const CudnnDescriptor &p = unary(CUDNN_POINTWISE_EXP, mask(logarithms));
        add(cudnn_product(cudnn_, other_way(p), dy, outer(kDv, call_.out[2])));
        // The gradient of the scores, and dk and dq from it.
        const CudnnDescriptor &differences = binary(CUDNN_POINTWISE_SUB, product(dy, v), delta);
        const CudnnDescriptor &ds = binary(CUDNN_POINTWISE_MUL, binary(CUDNN_POINTWISE_MUL, differences, p), *scale_);
        add(cudnn_product(cudnn_, other_way(ds), q, outer(kDk, call_.out[1])));
        const mpt_mod_operand &keys = call_.in[1];
        const CudnnDescriptor &k_again = tensor(next_++, CUDNN_DATA_FLOAT, shape_of(keys), strides_of(keys), CudnnPlace::Nowhere);
        add(cudnn_view(cudnn_, k, k_again));
        add(cudnn_product(cudnn_, ds, k_again, outer(kDq, call_.out[0])));
    }

    std::vector<CudnnDescriptor> operations;
    std::vector<CudnnNumber> numbers;

private:
    const CudnnDescriptor &tensor(std::int64_t id, cudnnDataType_t type, const Extents &shape, const Extents &strides,
                                  CudnnPlace place) {
        return tensors_.emplace_back(cudnn_tensor(cudnn_, id, type, shape, strides, place));
    }
    const CudnnDescriptor &outer(std::int64_t id, const mpt_mod_operand &x) {
        return tensor(id, type_, shape_of(x), strides_of(x), CudnnPlace::Memory);
    }
    // Its last two dimensions in the other order.
    const CudnnDescriptor &transposed(std::int64_t id, const mpt_mod_operand &x) {
        Extents shape = shape_of(x), strides = strides_of(x);
        std::swap(shape[2], shape[3]);
        std::swap(strides[2], strides[3]);
        return tensor(id, type_, shape, strides, CudnnPlace::Memory);
    }
    const CudnnDescriptor &row_sums(std::int64_t id) {
        return tensor(id, CUDNN_DATA_FLOAT, rows_, dense(rows_), CudnnPlace::Memory);
    }
    const CudnnDescriptor &inner(cudnnDataType_t type, const Extents &shape) {
        return tensor(next_++, type, shape, dense(shape), CudnnPlace::Nowhere);
    }
    const CudnnDescriptor &number(std::uint32_t bits, cudnnDataType_t type) {
        numbers.push_back({next_, bits});
        return tensor(next_++, type, {1, 1, 1, 1}, {1, 1, 1, 1}, CudnnPlace::Host);
    }

    void add(CudnnDescriptor &&operation) { operations.push_back(std::move(operation)); }
    const CudnnDescriptor &product(const CudnnDescriptor &a, const CudnnDescriptor &b) {
        const CudnnDescriptor &c = inner(CUDNN_DATA_FLOAT, scores_);
        add(cudnn_product(cudnn_, a, b, c));
        return c;
    }
    const CudnnDescriptor &unary(cudnnPointwiseMode_t mode, const CudnnDescriptor &x) {
        const CudnnDescriptor &y = inner(CUDNN_DATA_FLOAT, scores_);
        add(cudnn_pointwise(cudnn_, mode, x, nullptr, y));
        return y;
    }
    const CudnnDescriptor &binary(cudnnPointwiseMode_t mode, const CudnnDescriptor &x, const CudnnDescriptor &other,
                                  cudnnDataType_t type = CUDNN_DATA_FLOAT) {
        const CudnnDescriptor &y = inner(type, scores_);
        add(cudnn_pointwise(cudnn_, mode, x, &other, y, type));
        return y;
    }
    const CudnnDescriptor &reduced(cudnnReduceTensorOp_t operation, const CudnnDescriptor &x) {
        const CudnnDescriptor &y = inner(CUDNN_DATA_FLOAT, rows_);
        add(cudnn_reduction(cudnn_, operation, x, y));
        return y;
    }
    // Keys down and queries across, rounded as a factor of a product.
    const CudnnDescriptor &other_way(const CudnnDescriptor &x) {
        const auto [b, h, t, s] = scores_;
        const CudnnDescriptor &y = tensor(next_++, type_, {b, h, s, t}, {h * t * s, t * s, 1, s}, CudnnPlace::Nowhere);
        add(cudnn_view(cudnn_, x, y));
        return y;
    }
    // With causal, row i sees columns up to i + S - T.
    const CudnnDescriptor &mask(const CudnnDescriptor &x) {
        if (!causal_) return x;
        const CudnnDescriptor &hidden =
            number(std::bit_cast<std::uint32_t>(-std::numeric_limits<float>::infinity()), CUDNN_DATA_FLOAT);
        const CudnnDescriptor *row = &inner(CUDNN_DATA_INT32, scores_), &column = inner(CUDNN_DATA_INT32, scores_);
        add(cudnn_index(cudnn_, x, 2, *row));
        add(cudnn_index(cudnn_, x, 3, column));
        if (scores_[2] != scores_[3]) {
            const auto extent = [&](std::size_t d) -> const CudnnDescriptor & {
                return number(static_cast<std::uint32_t>(scores_[d]), CUDNN_DATA_INT32);
            };
            row = &binary(CUDNN_POINTWISE_ADD, *row, extent(3), CUDNN_DATA_INT32);
            row = &binary(CUDNN_POINTWISE_SUB, *row, extent(2), CUDNN_DATA_INT32);
        }
        const CudnnDescriptor &seen = binary(CUDNN_POINTWISE_CMP_GE, *row, column, CUDNN_DATA_BOOLEAN),
                              &y = inner(CUDNN_DATA_FLOAT, scores_);
        add(cudnn_select(cudnn_, seen, x, hidden, y));
        return y;
    }

    const Cudnn &cudnn_;
    const mpt_mod_call &call_;
    cudnnDataType_t type_;
    Extents scores_, rows_;
    bool causal_;
    const CudnnDescriptor *scale_;
    std::int64_t next_ = kInner;
    std::deque<CudnnDescriptor> tensors_;  // whose places stay
};

// A tensor of the graph among the operands of the call.
struct Argument {
    std::int64_t id;
    bool result;
    int index;
};

constexpr Argument kForward[] = {{kQ, false, 0}, {kK, false, 1}, {kV, false, 2}, {kY, true, 0}, {kLse, true, 1}};
constexpr Argument kGradient[] = {{kQ, false, 0},  {kK, false, 1}, {kV, false, 2}, {kY, false, 4}, {kLse, false, 5},
                                  {kDy, false, 6}, {kDq, true, 0}, {kDk, true, 1}, {kDv, true, 2}};

class CudnnAttention final : public Kernel {
public:
    CudnnAttention(Device &device, const Cudnn &cudnn, const mpt_mod_call &call, bool gradient)
        : gradient_(gradient), arguments_(gradient ? std::span<const Argument>(kGradient) : kForward) {
        Graph graph(cudnn, call);
        gradient ? graph.gradient() : graph.forward();
        CudnnTrial trial{std::string(call.kernel) + (attrs_of<mpt_attrs_attention>(call).causal ? " causal" : ""), {}, {}};
        for (const Argument &a : arguments_) cudnn_operand(trial, a.id, a.result ? call.out[a.index] : call.in[a.index]);
        const std::size_t delta_bytes = gradient ? static_cast<std::size_t>(numel(call.in[5])) * sizeof(float) : 0;
        if (gradient) {
            trial.ids.push_back(kDelta);
            trial.bytes.push_back(delta_bytes);
        }
        ids_ = trial.ids;
        const CudnnRules rules{.tensor_cores = true, .prefer_tensor_cores = false, .fallback = false};
        plan_ = std::make_unique<CudnnPlan>(device, cudnn, graph.operations, rules, trial, std::move(graph.numbers));
        take(workspace_bytes, plan_->workspace_bytes());
        delta_at_ = take(workspace_bytes, delta_bytes);
    }
    void take_other(std::unique_ptr<Kernel> otherwise) {
        otherwise_ = std::move(otherwise);
        workspace_bytes = std::max(workspace_bytes, otherwise_->workspace_bytes);
    }

    void launch(const void *const *in, void *const *out, void *workspace, cudaStream_t stream) override {
        std::vector<void *> addresses;
        for (const Argument &a : arguments_) {
            addresses.push_back(a.result ? out[a.index] : const_cast<void *>(in[a.index]));
            if (reinterpret_cast<std::uintptr_t>(addresses.back()) % 16 != 0) return otherwise_->launch(in, out, workspace, stream);
        }
        if (gradient_) addresses.push_back(static_cast<char *>(workspace) + delta_at_);
        plan_->launch(ids_, addresses, workspace, stream);
    }
    const char *name() const override { return gradient_ ? "cudnn:attention_grad" : "cudnn:attention"; }

private:
    bool gradient_;
    std::span<const Argument> arguments_;
    std::vector<std::int64_t> ids_;
    std::size_t delta_at_ = 0;
    std::unique_ptr<CudnnPlan> plan_;
    std::unique_ptr<Kernel> otherwise_;
};

// Without mask and dropout, the same columns everywhere, and with causal no row that sees nothing. The largest of a row's products
// is that of its scores only where they are scaled by more than 0, and cuDNN may look at either.
bool fits(const Device &device, const mpt_mod_call &call, const mpt_mod_operand &random) {
    const auto &attrs = attrs_of<mpt_attrs_attention>(call);
    const mpt_mod_operand &q = call.in[0], &k = call.in[1], &v = call.in[2];
    const std::int64_t rows = q.shape[2], keys = k.shape[2], columns = q.shape[3];
    return device.capability() < kUntried && (q.dtype == MPT_F16 || q.dtype == MPT_BF16) && !present(call.in[3]) &&
           !present(random) && columns == v.shape[3] && columns % 8 == 0 && columns <= kMostColumns && rows >= kLeast &&
           keys >= kLeast && numel(q) > 0 && attrs.scale > 0 && !(attrs.causal && rows > keys) && packs(q) && packs(k) && packs(v);
}

std::unique_ptr<Kernel> planned(Device &device, const mpt_mod_call &call, bool gradient, std::unique_ptr<Kernel> otherwise) {
    const Cudnn *cudnn = device.cudnn();
    if (!cudnn || cudnn->version() < kOldest) return otherwise;
    try {
        auto kernel = std::make_unique<CudnnAttention>(device, *cudnn, call, gradient);
        kernel->take_other(std::move(otherwise));
        return kernel;
    } catch (CudnnRefuses) {
        cudaGetLastError();  // of what it tried in vain
        return otherwise;
    }
}

}  // namespace

std::unique_ptr<Kernel> by_cudnn(Device &device, const mpt_mod_call &call, std::unique_ptr<Kernel> otherwise) {
    if (!fits(device, call, call.in[4]) || !packs(call.out[0])) return otherwise;
    return planned(device, call, false, std::move(otherwise));
}

std::unique_ptr<Kernel> gradient_by_cudnn(Device &device, const mpt_mod_call &call, std::unique_ptr<Kernel> otherwise) {
    if (!fits(device, call, call.in[7]) || !packs(call.in[4]) || !packs(call.in[6])) return otherwise;
    const std::int64_t rows = call.in[0].shape[2], keys = call.in[1].shape[2];
    if (rows % kBlock != 0 || keys % kBlock != 0 || numel(call.in[5]) >= kMostScores / keys) return otherwise;
    for (int i = 0; i < 3; ++i)
        if (!present(call.out[i]) || !packs(call.out[i])) return otherwise;
    return planned(device, call, true, std::move(otherwise));
}

#else

std::unique_ptr<Kernel> by_cudnn(Device &, const mpt_mod_call &, std::unique_ptr<Kernel> otherwise) {
    return otherwise;
}

std::unique_ptr<Kernel> gradient_by_cudnn(Device &, const mpt_mod_call &, std::unique_ptr<Kernel> otherwise) {
    return otherwise;
}

#endif

}  // namespace mpt::cuda::attention
