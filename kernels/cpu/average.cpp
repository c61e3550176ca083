// "average" and "average_swap" of device/attrs/: all tensors of a group in one launch.
#include "device/attrs/average.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "chunks.h"
#include "isa.h"
#include "kernel.h"
#include "rounding.h"
#include "rows.h"

namespace mpt::cpu {
namespace {

constexpr std::int64_t kTile = 1024;

template <class C>
void move_average(C *average, const C *value, std::int64_t n, C keep, C toward) {
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < n; i++) average[i] = keep * average[i] + toward * value[i];
}

template <class C>
void exchange(C *a, C *b, std::int64_t n) {
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < n; i++) std::swap(a[i], b[i]);
}

struct Form {
    std::int32_t dtype = MPT_DTYPE_NONE;
    std::int64_t bytes = 0;
    Load<float> load = nullptr;
    Store<float> store = nullptr;
    Store<double> store_wide = nullptr;

    Form() = default;
    Form(const char *kernel, const mpt_mod_operand &x, const mpt_mod_operand &like)
        : dtype(x.dtype),
          bytes(static_cast<std::int64_t>(bytes_of(x.dtype))),
          load(loader<float>(x.dtype)),
          store(storer<float>(x.dtype)),
          store_wide(storer<double>(x.dtype)) {
        if (!is_float(dtype)) unsupported_dtype(kernel, dtype);
        if (!same_layout(x, like) || !is_dense(x))
            throw Failure{MPT_ERROR_UNSUPPORTED, std::string(kernel) + ": a parameter is not dense in its average's layout"};
    }
    void *at(void *base, std::int64_t i) const { return static_cast<std::byte *>(base) + i * bytes; }
    const void *at(const void *base, std::int64_t i) const { return static_cast<const std::byte *>(base) + i * bytes; }
};

// The average's type: that of an f32 or f64 parameter, f32 for f16 and bf16.
void check_average(const char *kernel, const mpt_mod_operand &average, const mpt_mod_operand &parameter) {
    const bool wide = parameter.dtype == MPT_F64;
    if (average.dtype != (wide ? MPT_F64 : MPT_F32)) unsupported_dtype(kernel, average.dtype);
}

class Average final : public Kernel {
public:
    Average(Pool &pool, const mpt_mod_call &call) : pool_(pool), attrs_(attrs_of<mpt_attrs_average>(call)), chunks_(kGrain) {
        if (attrs_.n < 0 || call.n_in != 1 + attrs_.n || call.n_out != 1 + attrs_.n)
            throw Failure{MPT_ERROR_INTERNAL, "average: another number of operands than the attributes say"};
        for (int i = 0; i < attrs_.n; i++) {
            parameters_.emplace_back("average", call.in[1 + i], call.out[1 + i]);
            check_average("average", call.out[1 + i], call.in[1 + i]);
            chunks_.add(i, numel(call.out[1 + i]));
        }
    }

    void launch(const void *const *in, void *const *out, void *) override {
        const std::int64_t count = *static_cast<const std::int64_t *>(in[0]);
        auto &last = *static_cast<std::int64_t *>(out[0]);
        if (count == last) return;
        chunks_.run(pool_, [&](const Chunk &chunk, std::int64_t) { move(chunk, in[1 + chunk.tensor], out[1 + chunk.tensor]); });
        last = count;
    }

    const char *name() const override { return "cpu:average"; }

private:
    void move(const Chunk &chunk, const void *parameter, void *average) const {
        const Form &form = parameters_[static_cast<std::size_t>(chunk.tensor)];
        if (form.dtype == MPT_F64) {
            wide_(static_cast<double *>(average) + chunk.begin, static_cast<const double *>(parameter) + chunk.begin, chunk.count,
                  attrs_.decay, 1.0 - attrs_.decay);
            return;
        }
        const auto keep = static_cast<float>(attrs_.decay), toward = static_cast<float>(1.0 - attrs_.decay);
        auto *to = static_cast<float *>(average) + chunk.begin;
        if (form.dtype == MPT_F32) {
            narrow_(to, static_cast<const float *>(parameter) + chunk.begin, chunk.count, keep, toward);
            return;
        }
        alignas(64) float values[kTile];
        for (std::int64_t i = 0; i < chunk.count; i += kTile) {
            const std::int64_t n = std::min(kTile, chunk.count - i);
            form.load(form.at(parameter, chunk.begin + i), 1, n, n, 1, values);
            narrow_(to + i, values, n, keep, toward);
        }
    }

    Pool &pool_;
    mpt_attrs_average attrs_;
    Chunks chunks_;
    std::vector<Form> parameters_;
    void (*narrow_)(float *, const float *, std::int64_t, float, float) = Versions<&move_average<float>>::best();
    void (*wide_)(double *, const double *, std::int64_t, double, double) = Versions<&move_average<double>>::best();
};

class AverageSwap final : public Kernel {
public:
    AverageSwap(Pool &pool, const mpt_mod_call &call)
        : pool_(pool), attrs_(attrs_of<mpt_attrs_average_swap>(call)), chunks_(kGrain) {
        const int n = attrs_.n;
        if (n < 0 || attrs_.copies < 0 || call.n_in != 0 || call.n_out != n * (3 + attrs_.copies))
            throw Failure{MPT_ERROR_INTERNAL, "average_swap: another number of operands than the attributes say"};
        for (int i = 0; i < n; i++) {
            const mpt_mod_operand &average = call.out[n + i], &rest = call.out[2 * n + i];
            check_average("average_swap", average, call.out[i]);
            Tensor tensor{{"average_swap", call.out[i], average}, {}};
            if (tensor.rounded()) {
                if (rest.dtype != MPT_F32) unsupported_dtype("average_swap's rest", rest.dtype);
                Form("average_swap", rest, average);
            }
            for (int c = 0; c < attrs_.copies; c++) {
                const mpt_mod_operand &copy = call.out[(3 + c) * n + i];
                tensor.copies.push_back(copy.dtype == MPT_DTYPE_NONE ? Form() : Form("average_swap", copy, average));
            }
            chunks_.add(i, numel(average));
            tensors_.push_back(std::move(tensor));
        }
    }

    void launch(const void *const *, void *const *out, void *) override {
        chunks_.run(pool_, [&](const Chunk &chunk, std::int64_t) {
            for (std::int64_t i = 0; i < chunk.count; i += kTile)
                swap(chunk.tensor, chunk.begin + i, std::min(kTile, chunk.count - i), out);
        });
    }

    const char *name() const override { return "cpu:average_swap"; }

private:
    struct Tensor {
        Form parameter;
        std::vector<Form> copies;
        bool rounded() const { return parameter.dtype != MPT_F32 && parameter.dtype != MPT_F64; }
    };

    void swap(int i, std::int64_t at, std::int64_t n, void *const *out) const {
        const Tensor &tensor = tensors_[static_cast<std::size_t>(i)];
        void *parameter = tensor.parameter.at(out[i], at), *average = out[attrs_.n + i];
        if (tensor.parameter.dtype == MPT_F64) {
            wide_(static_cast<double *>(parameter), static_cast<double *>(average) + at, n);
            copy(tensor, static_cast<const double *>(parameter), i, at, n, out);
            return;
        }
        auto *mean = static_cast<float *>(average) + at;
        if (!tensor.rounded()) {
            narrow_(static_cast<float *>(parameter), mean, n);
            copy(tensor, static_cast<const float *>(parameter), i, at, n, out);
            return;
        }
        auto *rest = static_cast<float *>(out[2 * attrs_.n + i]) + at;
        alignas(64) float before[kTile], after[kTile];
        tensor.parameter.load(parameter, 1, n, n, 1, before);
        add_(before, rest, n);
        tensor.parameter.store(mean, parameter, 1, n, n, 1);
        tensor.parameter.load(parameter, 1, n, n, 1, after);
        keep_(mean, after, rest, n);
        std::copy_n(before, n, mean);
        copy(tensor, after, i, at, n, out);
    }

    template <class C>
    void copy(const Tensor &tensor, const C *values, int i, std::int64_t at, std::int64_t n, void *const *out) const {
        for (std::size_t c = 0; c < tensor.copies.size(); c++) {
            const Form &form = tensor.copies[c];
            if (form.dtype == MPT_DTYPE_NONE) continue;
            void *to = form.at(out[(3 + static_cast<int>(c)) * attrs_.n + i], at);
            if constexpr (sizeof(C) == 8)
                form.store_wide(values, to, 1, n, n, 1);
            else
                form.store(values, to, 1, n, n, 1);
        }
    }

    Pool &pool_;
    mpt_attrs_average_swap attrs_;
    Chunks chunks_;
    std::vector<Tensor> tensors_;
    void (*narrow_)(float *, float *, std::int64_t) = Versions<&exchange<float>>::best();
    void (*wide_)(double *, double *, std::int64_t) = Versions<&exchange<double>>::best();
    void (*add_)(float *, const float *, std::int64_t) = Versions<&add_rest>::best();
    void (*keep_)(const float *, const float *, float *, std::int64_t) = Versions<&keep_rest>::best();
};

}  // namespace

static std::unique_ptr<Kernel> prepare_average(Pool &pool, const mpt_mod_call &call) {
    return std::make_unique<Average>(pool, call);
}

static std::unique_ptr<Kernel> prepare_average_swap(Pool &pool, const mpt_mod_call &call) {
    return std::make_unique<AverageSwap>(pool, call);
}

static const RegisteredKernel registered_average("average", prepare_average);
static const RegisteredKernel registered_average_swap("average_swap", prepare_average_swap);

}  // namespace mpt::cpu
