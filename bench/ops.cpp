// Every op by itself: time, GFLOP/s of products or GB/s of the rest, and the share of what the machine can do.
//   mpt_bench_ops [--threads N] [options of Google Benchmark]
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "ops_table.h"
#include "peak.h"

namespace {

struct Case {
    const Op *op;
    mpt_dtype dtype;
    bool backward;
};

struct Machine {
    mpt_context *ctx;
    Peaks peaks;
};

bool failed = false;

// A case with its inputs made, run once, and what it has to move counted.
class Prepared {
public:
    Prepared(mpt_context *ctx, const Case &which)
        : which_(which), inputs_(ctx, which.dtype, which.backward), work_(which.op->prepare(inputs_)) {
        const Tensors outputs = work_.forward();
        double results = 0;
        for (const Tensor &output : outputs) {
            results += bytes_of(output.get());
            if (which.backward) cotangents_.push_back(cotangent(ctx, output.get()));
        }
        bytes_ = (work_.input_bytes < 0 ? inputs_.input_bytes() : work_.input_bytes) +
                 (work_.output_bytes < 0 ? results : work_.output_bytes);
        if (which.backward) {
            bytes_ += results + work_.reread + inputs_.gradient_bytes();
            differentiate(outputs);
        }
    }

    void run() {
        const Tensors outputs = work_.forward();
        if (which_.backward) differentiate(outputs);
    }

    bool product() const { return work_.flops > 0; }
    double amount() const { return product() ? work_.flops * (which_.backward ? 3 : 1) : bytes_; }

private:
    static Tensor cotangent(mpt_context *ctx, mpt_tensor *output) {
        mpt_dtype dtype;
        int32_t ndim;
        int64_t shape[MPT_MAX_DIMS], strides[MPT_MAX_DIMS];
        OK(mpt_tensor_dtype(output, &dtype));
        OK(mpt_tensor_ndim(output, &ndim));
        OK(mpt_tensor_shape(output, shape, MPT_MAX_DIMS));
        OK(mpt_tensor_strides(output, strides, MPT_MAX_DIMS));
        mpt_tensor *made;
        // A gradient comes in the order in memory of the result that it belongs to: an image's with C innermost.
        if (ndim == 4 && strides[1] == 1 && shape[1] > 1) {
            const int64_t memory[] = {shape[0], shape[2], shape[3], shape[1]};
            const int32_t order[] = {0, 3, 1, 2};
            OK(mpt_tensor_create(ctx, dtype, 4, memory, &made));
            const Tensor dense(made);
            OK(mpt_tensor_random_normal(dense.get(), 0, 1));
            OK(mpt_transpose(dense.get(), 4, order, &made));
            return Tensor(made);
        }
        OK(mpt_tensor_create(ctx, dtype, ndim, shape, &made));
        Tensor dense(made);
        OK(mpt_tensor_random_normal(made, 0, 1));
        return dense;
    }

    void differentiate(const Tensors &outputs) {
        mpt_tensor *roots[4], *cotangents[4];
        for (size_t i = 0; i < outputs.size(); ++i) roots[i] = outputs[i].get(), cotangents[i] = cotangents_[i].get();
        OK(mpt_backward_from(roots, cotangents, static_cast<int32_t>(outputs.size()), MPT_GRAD_WRITE));
    }

    Case which_;
    Inputs inputs_;
    Work work_;
    Tensors cotangents_;
    double bytes_ = 0;
};

void measure(benchmark::State &state, const Machine &machine, const Case &which) {
    // Google Benchmark calls again and again until the time is long enough; the inputs are made once.
    static const Case *current = nullptr;
    static std::unique_ptr<Prepared> prepared;
    try {
        if (current != &which) {
            current = nullptr;
            prepared.reset();
            prepared = std::make_unique<Prepared>(machine.ctx, which);
            current = &which;
        }
        // The rates are those of the fastest iteration, as the peaks are those of the fastest pass; the time column is the mean.
        double least = std::numeric_limits<double>::infinity();
        for (auto _ : state) {
            const auto start = std::chrono::steady_clock::now();
            prepared->run();
            const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
            state.SetIterationTime(seconds.count());
            least = std::min(least, seconds.count());
        }
        const double rate = prepared->amount() / least / 1e9;
        const double product_peak = which.dtype == MPT_BF16 ? machine.peaks.gflops_bf16 : machine.peaks.gflops_f32;
        state.counters[prepared->product() ? "GFLOP/s" : "GB/s"] = rate;
        state.counters["least_ms"] = 1e3 * least;
        state.counters["peak_%"] = 100 * rate / (prepared->product() ? product_peak : machine.peaks.gbytes);
    } catch (const std::exception &e) {
        failed = true;
        state.SkipWithError(e.what());
    }
}

// Takes "--threads N" out of the arguments; 0 where it is not there.
int take_threads(int &argc, char **argv) {
    int threads = 0, kept = 1;
    for (int i = 1; i < argc; ++i) {
        if (std::strcmp(argv[i], "--threads") != 0) {
            argv[kept++] = argv[i];
            continue;
        }
        char *end = nullptr;
        const long value = i + 1 < argc ? std::strtol(argv[i + 1], &end, 10) : 0;
        if (value < 1 || value > 4096 || *end != '\0') throw std::runtime_error("--threads needs a number from 1 to 4096");
        threads = static_cast<int>(value);
        ++i;
    }
    argc = kept;
    argv[argc] = nullptr;
    return threads;
}

std::string with_digits(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", value);
    return text;
}

Machine start(int threads) {
    mpt_context_desc desc;
    OK(mpt_context_desc_init(&desc, sizeof desc));
    desc.threads = threads;
    Machine machine;
    OK(mpt_context_create(&desc, &machine.ctx));
    int32_t used;
    char text[512];
    OK(mpt_context_threads(machine.ctx, &used));
    OK(mpt_context_describe(machine.ctx, text, sizeof text, nullptr));
    machine.peaks = measure_peaks(used);
    benchmark::AddCustomContext("mpt", text);
    benchmark::AddCustomContext("threads", std::to_string(used));
    benchmark::AddCustomContext("peak GFLOP/s in f32", with_digits(machine.peaks.gflops_f32));
    benchmark::AddCustomContext("peak GFLOP/s in bf16", with_digits(machine.peaks.gflops_bf16));
    benchmark::AddCustomContext("peak GB/s", with_digits(machine.peaks.gbytes));
    return machine;
}

}  // namespace

int main(int argc, char **argv) {
    try {
        const int threads = take_threads(argc, argv);
        benchmark::Initialize(&argc, argv);
        if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
        const Machine machine = start(threads);
        const std::vector<Op> table = ops_table();
        for (const Op &op : table)
            for (mpt_dtype dtype : op.dtypes)
                for (bool backward : {false, true}) {
                    if (backward && !op.backward) continue;
                    const std::string name = op.name + "/" + mpt_dtype_name(dtype) + (backward ? "/forward_backward" : "/forward");
                    const auto which = std::make_shared<const Case>(Case{&op, dtype, backward});
                    benchmark::RegisterBenchmark(name.c_str(),
                                                 [&machine, which](benchmark::State &state) { measure(state, machine, *which); })
                        ->UseManualTime()
                        ->Unit(benchmark::kMillisecond);
                }
        benchmark::RunSpecifiedBenchmarks();
        mpt_context_release(machine.ctx);  // the last benchmark's tensors still hold it
    } catch (const std::exception &e) {
        std::fprintf(stderr, "mpt_bench_ops: %s\n", e.what());
        return 1;
    }
    return failed ? 1 : 0;
}
