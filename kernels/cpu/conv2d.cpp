// "conv2d" and "conv2d_dgrad": products of patches with the filter. Fast where channels lie innermost.
#include <memory>
#include <vector>

#include "conv_views.h"
#include "device/attrs/conv.h"
#include "kernel.h"

namespace mpt::cpu {
namespace {

// The taps of a convolution: all of the filter, `stride` apart.
Taps forward_taps(std::int64_t kernel, std::int64_t stride, std::int64_t padding, std::int64_t dilation) {
    Taps taps;
    taps.step = stride;
    for (std::int64_t t = 0; t < kernel; ++t) {
        taps.offset.push_back(t * dilation - padding);
        taps.index.push_back(t);
    }
    return taps;
}

// The taps through which inputs phase, phase + stride, phase + 2 stride ... take part: input position phase + i stride was read
// by output position i + offset. Last tap first, so that offsets ascend.
Taps backward_taps(std::int64_t kernel, std::int64_t stride, std::int64_t padding, std::int64_t dilation, std::int64_t phase) {
    Taps taps;
    for (std::int64_t t = kernel - 1; t >= 0; --t) {
        const std::int64_t position = phase + padding - t * dilation;
        if (position % stride != 0) continue;
        taps.offset.push_back(position / stride);
        taps.index.push_back(t);
    }
    return taps;
}

std::vector<std::int64_t> group_offsets(std::int64_t groups, std::int64_t step, std::int64_t start = 0) {
    std::vector<std::int64_t> offsets;
    for (std::int64_t g = 0; g < groups; ++g) offsets.push_back(start + g * step);
    return offsets;
}

const mpt_mod_operand *bias_of(const mpt_mod_call &call) {
    return call.n_in > 2 && call.in[2].dtype != MPT_DTYPE_NONE ? &call.in[2] : nullptr;
}

template <class T>
void add_bias(PixelSink<T> &sink, const mpt_mod_operand &bias, std::int64_t channels_of_group) {
    sink.bias_dtype = bias.dtype;
    sink.bias_stride = bias.strides[0];
    sink.bias_item_step = channels_of_group;
}

template <class T>
class Conv2d final : public Kernel {
public:
    Conv2d(Pool &pool, const mpt_mod_call &call) : Conv2d(pool, call, attrs_of<mpt_attrs_conv2d>(call)) {}

    void launch(const void *const *in, void *const *out, void *workspace) override {
        Destination to{out[0], has_bias_ ? in[2] : nullptr};
        gemm_.run(in[0], in[1], &to, workspace);
    }

    const char *name() const override { return "cpu:conv_gemm"; }

private:
    Conv2d(Pool &pool, const mpt_mod_call &call, const mpt_attrs_conv2d &at)
        : Conv2d(pool, call, at, forward_taps(call.in[1].shape[2], at.stride[0], at.padding[0], at.dilation[0]),
                 forward_taps(call.in[1].shape[3], at.stride[1], at.padding[1], at.dilation[1])) {}

    Conv2d(Pool &pool, const mpt_mod_call &call, const mpt_attrs_conv2d &at, const Taps &down, const Taps &across)
        : has_bias_(bias_of(call) != nullptr),
          grid_(choose_grid(call.in[0], at.groups, call.out[0].shape[2], call.out[0].shape[3], down, across)),
          patches_(call.in[0], at.groups, grid_, down, across),
          filter_(call.in[1], call.in[1].shape[1], call.in[1].strides[1], call.in[1].strides[0],
                  call.in[1].shape[0] / at.groups * call.in[1].strides[0], down, across),
          sink_(make_sink(call, at.groups, grid_)),
          gemm_(pool, pixel_product(call.in[0].shape[0], grid_, at.groups, call.out[0].shape[1] / at.groups, patches_.columns()),
                patches_.columns_are_k(), {&filter_, true}, sink_) {
        workspace_bytes = gemm_.workspace_bytes();
    }

    static PixelSink<T> make_sink(const mpt_mod_call &call, std::int64_t groups, const PixelGrid &grid) {
        const mpt_mod_operand &y = call.out[0];
        const std::int64_t channels = y.shape[1] / groups;
        PixelSink<T> sink;
        sink.dtype = y.dtype;
        sink.grid = grid;
        sink.n_stride = y.strides[0];
        sink.col_stride = y.strides[1];
        sink.i_stride = y.strides[2];
        sink.j_stride = y.strides[3];
        sink.item_offsets = group_offsets(groups, channels * y.strides[1]);
        if (bias_of(call)) add_bias(sink, *bias_of(call), channels);
        return sink;
    }

    bool has_bias_;
    PixelGrid grid_;
    PatchMatrix<T> patches_;
    Filter<T> filter_;
    PixelSink<T> sink_;
    Gemm<T> gemm_;
};

// The gradient of the input: for each phase of the stride, a convolution of dy with the taps that meet it.
template <class T>
class Conv2dDgrad final : public Kernel {
public:
    Conv2dDgrad(Pool &pool, const mpt_mod_call &call) {
        const auto &at = attrs_of<mpt_attrs_conv2d>(call);
        const mpt_mod_operand &dx = call.out[0];
        has_bias_ = bias_of(call) != nullptr;
        for (std::int64_t i = 0; i < std::min<std::int64_t>(at.stride[0], dx.shape[2]); ++i)
            for (std::int64_t j = 0; j < std::min<std::int64_t>(at.stride[1], dx.shape[3]); ++j) {
                phases_.push_back(std::make_unique<Phase>(pool, call, at, i, j));
                workspace_bytes = std::max(workspace_bytes, phases_.back()->gemm.workspace_bytes());
            }
    }

    void launch(const void *const *in, void *const *out, void *workspace) override {
        Destination to{out[0], has_bias_ ? in[2] : nullptr};
        for (const auto &phase : phases_) phase->gemm.run(in[0], in[1], &to, workspace);
    }

    const char *name() const override { return "cpu:conv_gemm"; }

private:
    struct Phase {
        Phase(Pool &pool, const mpt_mod_call &call, const mpt_attrs_conv2d &at, std::int64_t i, std::int64_t j)
            : Phase(pool, call, at, i, j, backward_taps(call.in[1].shape[2], at.stride[0], at.padding[0], at.dilation[0], i),
                    backward_taps(call.in[1].shape[3], at.stride[1], at.padding[1], at.dilation[1], j)) {}

        Phase(Pool &pool, const mpt_mod_call &call, const mpt_attrs_conv2d &at, std::int64_t i, std::int64_t j, const Taps &down,
              const Taps &across)
            : sink(make_sink(call, at, i, j, down, across)),
              patches(call.in[0], at.groups, sink.grid, down, across),
              filter(call.in[1], call.in[1].shape[0] / at.groups, call.in[1].strides[0], call.in[1].strides[1],
                     call.in[1].shape[0] / at.groups * call.in[1].strides[0], down, across),
              gemm(pool,
                   pixel_product(call.in[0].shape[0], sink.grid, at.groups, call.out[0].shape[1] / at.groups, patches.columns()),
                   patches.columns_are_k(), {&filter, true}, sink) {}

        static PixelSink<T> make_sink(const mpt_mod_call &call, const mpt_attrs_conv2d &at, std::int64_t i, std::int64_t j,
                                      const Taps &down, const Taps &across) {
            const mpt_mod_operand &dx = call.out[0];
            PixelSink<T> s;
            s.dtype = dx.dtype;
            s.grid = choose_grid(call.in[0], at.groups, (dx.shape[2] - i + at.stride[0] - 1) / at.stride[0],
                                 (dx.shape[3] - j + at.stride[1] - 1) / at.stride[1], down, across);
            s.n_stride = dx.strides[0];
            s.col_stride = dx.strides[1];
            s.i_stride = dx.strides[2] * at.stride[0];
            s.j_stride = dx.strides[3] * at.stride[1];
            s.item_offsets =
                group_offsets(at.groups, dx.shape[1] / at.groups * dx.strides[1], i * dx.strides[2] + j * dx.strides[3]);
            if (bias_of(call)) add_bias(s, *bias_of(call), dx.shape[1] / at.groups);
            return s;
        }

        PixelSink<T> sink;
        PatchMatrix<T> patches;
        Filter<T> filter;
        Gemm<T> gemm;
    };

    bool has_bias_;
    std::vector<std::unique_ptr<Phase>> phases_;
};

// The gradient of the filter: patches times dy, summed over pixels. The pixels are cut into chunks, a number that depends
// on the shapes alone; each chunk's product is kept, then they are added in order.
template <class T>
class Conv2dWgrad final : public Kernel {
public:
    Conv2dWgrad(Pool &pool, const mpt_mod_call &call) : Conv2dWgrad(pool, call, attrs_of<mpt_attrs_conv2d>(call)) {}

    void launch(const void *const *in, void *const *out, void *workspace) override {
        T *partial = static_cast<T *>(workspace);
        gemm_.run(in[0], in[1], partial, partial + partial_size_);
        auto *dw = static_cast<char *>(out[0]);
        auto *db = has_db_ ? static_cast<char *>(out[1]) : nullptr;
        const std::int64_t grain = std::max<std::int64_t>(1, 16384 / std::max<std::int64_t>(1, shape_.n * shape_.chunks));
        pool_.for_range(shape_.items * shape_.m, grain, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t r = begin; r < end; ++r) add_chunks(partial, r, dw);
        });
        for (std::int64_t item = 0; db && item < shape_.items; ++item) add_sums(partial, item, db);
    }

    const char *name() const override { return "cpu:conv_gemm"; }

private:
    // The products of all chunks, [item][chunk][m][n], then the sums of dy, [item][chunk][n]. m: (tap, channel); n: output channel.
    struct Partials final : TileSink<T> {
        explicit Partials(const GemmShape &s) : shape(s) {}
        GemmShape shape;

        T *row(T *base, std::int64_t item, std::int64_t chunk, std::int64_t m) const {
            return base + ((item * shape.chunks + chunk) * shape.m + m) * shape.n;
        }
        T *sums(T *base, std::int64_t item, std::int64_t chunk) const {
            return row(base, shape.items, 0, 0) + (item * shape.chunks + chunk) * shape.n;
        }
        std::int64_t size() const { return shape.items * shape.chunks * (shape.m + 1) * shape.n; }

        void write(void *base, std::int64_t item, std::int64_t chunk, std::int64_t m0, std::int64_t ms, std::int64_t n0,
                   std::int64_t ns, T *src, std::int64_t ld) const override {
            for (std::int64_t r = 0; r < ms; ++r) copy_run(src + r * ld, row(static_cast<T *>(base), item, chunk, m0 + r) + n0, ns);
        }
        void write_column_sums(void *base, std::int64_t item, std::int64_t chunk, std::int64_t n0, std::int64_t ns,
                               const T *src) const override {
            copy_run(src, sums(static_cast<T *>(base), item, chunk) + n0, ns);
        }
    };

    Conv2dWgrad(Pool &pool, const mpt_mod_call &call, const mpt_attrs_conv2d &at)
        : pool_(pool),
          dw_(call.out[0]),
          has_db_(call.n_out > 1 && call.out[1].dtype != MPT_DTYPE_NONE),
          db_stride_(has_db_ ? call.out[1].strides[0] : 0),
          grid_{call.in[1].shape[2], call.in[1].shape[3]},
          patches_(call.in[0], at.groups, grid_, forward_taps(dw_.shape[2], at.stride[0], at.padding[0], at.dilation[0]),
                   forward_taps(dw_.shape[3], at.stride[1], at.padding[1], at.dilation[1])),
          dy_(call.in[1], at.groups, grid_, forward_taps(1, 1, 0, 1), forward_taps(1, 1, 0, 1)),
          shape_(shape(call.in[1].shape[0], at.groups)),
          partials_(shape_),
          gemm_(pool, shape_, patches_.pixels_are_k(), dy_.pixels_are_k(), partials_) {
        partial_size_ = (partials_.size() + 15) / 16 * 16;
        workspace_bytes = static_cast<std::size_t>(partial_size_) * sizeof(T) + gemm_.workspace_bytes();
    }

    GemmShape shape(std::int64_t images, std::int64_t groups) const {
        constexpr std::int64_t kChunk = 1536, kMostChunks = 16, kMostPartial = std::int64_t{32} << 20;
        GemmShape s;
        s.items = groups;
        s.m = patches_.columns();
        s.n = dw_.shape[0] / groups;
        s.k = images * grid_.height * grid_.width;
        s.column_sums = has_db_;
        // Large filters give tiles enough; small ones need chunks to keep many threads busy.
        const std::int64_t size = std::max<std::int64_t>(1, s.items * s.m * s.n);
        s.chunks = std::clamp<std::int64_t>(std::min(s.k / kChunk, kMostPartial / static_cast<std::int64_t>(sizeof(T)) / size), 1,
                                            kMostChunks);
        return s;
    }

    // One row of the product: adds the chunks, in the row of the first, and scatters it over the output channels.
    void add_chunks(T *partial, std::int64_t r, char *dw) const {
        const std::int64_t item = r / shape_.m, m = r % shape_.m;
        T *row = partials_.row(partial, item, 0, m);
        for (std::int64_t c = 1; c < shape_.chunks; ++c) {
            const T *other = partials_.row(partial, item, c, m);
            for (std::int64_t j = 0; j < shape_.n; ++j) row[j] += other[j];
        }
        const std::int64_t channel = m % dw_.shape[1], tap = m / dw_.shape[1];
        const std::int64_t at = item * shape_.n * dw_.strides[0] + channel * dw_.strides[1] + tap / dw_.shape[3] * dw_.strides[2] +
                                tap % dw_.shape[3] * dw_.strides[3];
        write_run(dw_.dtype, row, dw + at * float_size(dw_.dtype), dw_.strides[0], shape_.n);
    }

    void add_sums(T *partial, std::int64_t item, char *db) const {
        T *sums = partials_.sums(partial, item, 0);
        for (std::int64_t c = 1; c < shape_.chunks; ++c) {
            const T *other = partials_.sums(partial, item, c);
            for (std::int64_t j = 0; j < shape_.n; ++j) sums[j] += other[j];
        }
        write_run(dw_.dtype, sums, db + item * shape_.n * db_stride_ * float_size(dw_.dtype), db_stride_, shape_.n);
    }

    Pool &pool_;
    mpt_mod_operand dw_;
    bool has_db_;
    std::int64_t db_stride_;
    PixelGrid grid_;
    PatchMatrix<T> patches_, dy_;
    GemmShape shape_;
    Partials partials_;
    Gemm<T> gemm_;
    std::int64_t partial_size_ = 0;
};

template <template <class> class K>
std::unique_ptr<Kernel> prepare(Pool &pool, const mpt_mod_call &call) {
    require_float(call, call.in[0]);
    if (call.in[0].dtype == MPT_F64) return std::make_unique<K<double>>(pool, call);
    return std::make_unique<K<float>>(pool, call);
}

}  // namespace

static std::unique_ptr<Kernel> prepare_conv2d(Pool &pool, const mpt_mod_call &call) {
    return prepare<Conv2d>(pool, call);
}
static std::unique_ptr<Kernel> prepare_conv2d_dgrad(Pool &pool, const mpt_mod_call &call) {
    return prepare<Conv2dDgrad>(pool, call);
}
static std::unique_ptr<Kernel> prepare_conv2d_wgrad(Pool &pool, const mpt_mod_call &call) {
    return prepare<Conv2dWgrad>(pool, call);
}

static const RegisteredKernel registered_conv2d("conv2d", prepare_conv2d);
static const RegisteredKernel registered_conv2d_dgrad("conv2d_dgrad", prepare_conv2d_dgrad);
static const RegisteredKernel registered_conv2d_wgrad("conv2d_wgrad", prepare_conv2d_wgrad);

}  // namespace mpt::cpu
