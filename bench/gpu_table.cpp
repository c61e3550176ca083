#include "gpu_table.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace {

constexpr int blocks = 9;
constexpr std::size_t copied_bytes = std::size_t{1} << 30;
constexpr double least_bytes = 512.0 * (1 << 20);  // less would be found in the L2 cache

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

std::string text_of(const Program &program) {
    size_t needed = 0;
    OK(mpt_program_dump(program.get(), nullptr, 0, &needed));
    std::string text(needed, '\0');
    OK(mpt_program_dump(program.get(), text.data(), needed, nullptr));
    text.resize(needed - 1);
    return text;
}

std::string quoted(const std::string &text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (static_cast<unsigned char>(c) < ' ')
            out += ' ';
        else
            out += c;
    }
    return out + '"';
}

int32_t dims(const Shape &shape) {
    return static_cast<int32_t>(shape.size());
}

}  // namespace

int64_t Stage::extent(int64_t full) const {
    return dry ? std::min<int64_t>(full, 16) : full;
}

Shape Stage::small(Shape shape) const {
    for (int64_t &extent_of : shape) extent_of = extent(extent_of);
    return shape;
}

Tensor Stage::floats(mpt_dtype dtype, const Shape &shape) const {
    mpt_tensor *made;
    OK(mpt_tensor_create(ctx, dtype, dims(shape), shape.data(), &made));
    Tensor tensor(made);
    OK(mpt_tensor_random_normal(made, 0, 1));
    return tensor;
}

Tensor Stage::tracked(mpt_dtype dtype, const Shape &shape) const {
    Shape first = shape, rest = shape;
    first[0] = 1;
    rest[0] -= 1;
    const Tensor leaf = floats(dtype, first), others = floats(dtype, rest);
    OK(mpt_tensor_set_requires_grad(leaf.get(), 1));
    mpt_tensor *const parts[] = {leaf.get(), others.get()};
    mpt_tensor *all;
    OK(mpt_concat(parts, 2, 0, &all));
    return Tensor(all);
}

Tensor Stage::classes(int64_t count, int64_t limit) const {
    std::vector<int32_t> values(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; ++i) values[static_cast<size_t>(i)] = static_cast<int32_t>(i * 7919 % limit);
    mpt_tensor *made;
    OK(mpt_tensor_create(ctx, MPT_I32, 1, &count, &made));
    Tensor tensor(made);
    OK(mpt_tensor_write(made, values.data(), values.size() * sizeof values[0]));
    OK(mpt_context_synchronize(ctx));
    return tensor;
}

Program record(const Stage &stage, const std::function<Tensors()> &body, Tensors &outputs) {
    OK(mpt_capture_begin(stage.ctx));
    try {
        Tensors made = body();
        std::vector<mpt_tensor *> handles;
        for (const Tensor &output : made) handles.push_back(output.get());
        mpt_program *program;
        OK(mpt_capture_end(stage.ctx, handles.empty() ? nullptr : handles.data(), static_cast<int32_t>(handles.size()), &program));
        for (Tensor &output : made) outputs.push_back(std::move(output));
        return Program(program);
    } catch (...) {
        mpt_capture_abort(stage.ctx);
        throw;
    }
}

void record(const Stage &stage, const std::function<Tensors()> &body, Ready &ready) {
    ready.program = record(stage, body, ready.kept);
}

Tensor transposed(const Tensor &x, const int32_t (&order)[4]) {
    mpt_tensor *view;
    OK(mpt_transpose(x.get(), 4, order, &view));
    return Tensor(view);
}

void record_backward(const Stage &stage, const std::vector<mpt_tensor *> &roots, Ready &ready) {
    Tensors cotangents, tracked;
    std::vector<mpt_tensor *> seeds, tracked_roots;
    for (mpt_tensor *root : roots) {
        int32_t ndim;
        mpt_dtype dtype;
        OK(mpt_tensor_ndim(root, &ndim));
        OK(mpt_tensor_dtype(root, &dtype));
        Shape shape(static_cast<size_t>(ndim)), strides(shape.size());
        OK(mpt_tensor_shape(root, shape.data(), ndim));
        OK(mpt_tensor_strides(root, strides.data(), ndim));
        int64_t expected = 1;
        for (size_t d = shape.size(); d-- > 0; expected *= shape[d])
            if (strides[d] != expected)
                throw std::runtime_error(
                    "the root of a backward is not contiguous: its cotangent would be copied in another order than it lies in");
        cotangents.push_back(stage.floats(dtype, shape));
        tracked.push_back(stage.tracked(dtype, shape));
        seeds.push_back(cotangents.back().get());
        tracked_roots.push_back(tracked.back().get());
    }
    const auto backward = [&](const std::vector<mpt_tensor *> &from, Tensors &outputs) {
        return record(
            stage,
            [&] {
                OK(mpt_backward_from(from.data(), seeds.data(), static_cast<int32_t>(from.size()), MPT_GRAD_WRITE));
                return Tensors();
            },
            outputs);
    };
    ready.program = backward(roots, ready.kept);
    ready.less = backward(tracked_roots, ready.kept);
}

Table::Table(const Stage &stage, const TableOptions &options, const std::string &device)
    : stage_(stage), options_(options), device_(device) {
    if (stage_.dry) return;
    from_ = DeviceMemory(copied_bytes);
    to_ = DeviceMemory(copied_bytes);
    CUDA_OK(cudaMemset(from_.get(), 1, copied_bytes));
    CUDA_OK(cudaMemset(to_.get(), 2, copied_bytes));
    CUDA_OK(cudaDeviceSynchronize());
    CUDA_OK(cudaEventCreate(&begin_));
    CUDA_OK(cudaEventCreate(&end_));
}

Table::~Table() {
    if (begin_) cudaEventDestroy(begin_);
    if (end_) cudaEventDestroy(end_);
}

void Table::copy() {
    CUDA_OK(cudaMemcpyAsync(to_.get(), from_.get(), copied_bytes, cudaMemcpyDeviceToDevice, stage_.stream));
}

double Table::time(const std::function<void()> &run, int count) {
    CUDA_OK(cudaEventRecord(begin_, stage_.stream));
    for (int i = 0; i < count; ++i) run();
    CUDA_OK(cudaEventRecord(end_, stage_.stream));
    CUDA_OK(cudaEventSynchronize(end_));
    float ms = 0;
    CUDA_OK(cudaEventElapsedTime(&ms, begin_, end_));
    return ms / count;
}

Table::Result Table::measure(const Row &row) {
    Result result{row.name, row.format, row.moved, {}};
    Ready ready = row.make(stage_);
    const std::string text = text_of(ready.program);
    const auto steps = [](const std::string &of) { return static_cast<int>(std::count(of.begin(), of.end(), '\n')) - 2; };
    if (options_.plan) std::fprintf(stderr, "# %s %s\n%s", row.name.c_str(), row.format.c_str(), text.c_str());
    result.steps = steps(text) - (ready.less ? steps(text_of(ready.less)) : 0);
    result.bytes = ready.bytes;
    result.flops = ready.flops;
    const auto run = [&] { OK(mpt_program_run(ready.program.get())); };
    const auto run_less = [&] { OK(mpt_program_run(ready.less.get())); };
    for (int i = 0; i < 2; ++i) {  // kernel by kernel, as one graph from here on
        run();
        if (ready.less) run_less();
    }
    OK(mpt_context_synchronize(stage_.ctx));
    if (stage_.dry) return result;
    if (ready.flops == 0 && ready.bytes < least_bytes)
        throw std::runtime_error("the row moves only " + std::to_string(ready.bytes / (1 << 20)) +
                                 " MiB, less than 512: give it larger tensors");

    const double copied = 2.0 * static_cast<double>(copied_bytes);
    if (ready.bare) result.candidates = ready.bare->candidates();
    const std::function<void()> ceiling =
        ready.bare ? std::function<void()>([&] { ready.bare->launch(stage_.stream); }) : [this] { copy(); };
    const double work = ready.bare ? ready.flops * ready.repeats : ready.bytes, ceiling_work = ready.bare ? work : copied;
    const double block_ms = 1e3 * options_.seconds / (2 * blocks);
    const auto runs = [&](const std::function<void()> &f) {
        time(f, 1);
        return static_cast<int>(std::clamp(std::ceil(block_ms / time(f, 2)), 1.0, 1000.0));
    };
    const int own_runs = runs(run), ceiling_runs = runs(ceiling), less_runs = ready.less ? runs(run_less) : 0;
    std::vector<double> own, rates, ratios;
    for (int block = 0; block < blocks; ++block) {
        own.push_back(time(run, own_runs) - (ready.less ? time(run_less, less_runs) : 0));
        if (own.back() <= 0)
            throw std::runtime_error(
                "what is taken off a run's time takes longer than the run: the machine is too busy to measure on");
        rates.push_back(1e3 * ceiling_work / time(ceiling, ceiling_runs));
        ratios.push_back(1e3 * work / own.back() / rates.back());
    }
    OK(mpt_context_synchronize(stage_.ctx));
    result.ms = median(own) / ready.repeats;
    result.spread = (*std::max_element(own.begin(), own.end()) - *std::min_element(own.begin(), own.end())) / median(own);
    result.ceiling = median(rates);
    result.ratio = median(ratios);
    return result;
}

void Table::run(const Row &row) {
    Result result;
    try {
        result = measure(row);
    } catch (const std::exception &e) {
        result = {row.name, row.format, row.moved, e.what()};
    }
    // What the row has left in mpt's cache would not be there for cudaMalloc.
    if (mpt_context_trim(stage_.ctx) != MPT_OK && result.error.empty()) result.error = mpt_last_error();
    print(result);
    results_.push_back(std::move(result));
}

void Table::print(const Result &r) {
    const int kind = r.flops > 0 ? 2 : 1;
    if (!r.error.empty()) {
        std::printf("| %s | %s | failed: %s |\n", r.name.c_str(), r.format.c_str(), r.error.c_str());
    } else if (stage_.dry) {
        std::printf("%s, %s: %d steps, runs\n", r.name.c_str(), r.format.c_str(), r.steps);
    } else {
        if (printed_ != kind && kind == 1)
            std::printf(
                "\n| kernel | format | compulsory bytes | MiB | ms | TB/s | of a copy's | spread | steps "
                "|\n|---|---|---|---|---|---|---|---|---|\n");
        if (printed_ != kind && kind == 2)
            std::printf(
                "\n| product | format | us | TFLOP/s | bare cuBLASLt, TFLOP/s | ratio | spread | best of "
                "|\n|---|---|---|---|---|---|---|---|\n");
        printed_ = kind;
        if (kind == 1)
            std::printf("| %s | %s | %s | %.0f | %.3f | %.2f | **%.0f %%** | %.1f %% | %d |\n", r.name.c_str(), r.format.c_str(),
                        r.moved.c_str(), r.bytes / (1 << 20), r.ms, r.bytes / r.ms / 1e9, 100 * r.ratio, 100 * r.spread, r.steps);
        else
            std::printf("| %s | %s | %.1f | %.0f | %.0f | **%.3f** | %.1f %% | %d |\n", r.name.c_str(), r.format.c_str(),
                        1e3 * r.ms, r.flops / r.ms / 1e9, r.ceiling / 1e12, r.ratio, 100 * r.spread, r.candidates);
    }
    std::fflush(stdout);
}

bool Table::finish() {
    std::vector<double> copies;
    for (const Result &r : results_)
        if (r.error.empty() && r.flops == 0) copies.push_back(r.ceiling);
    if (!stage_.dry && !copies.empty())
        std::printf("\n%s. Copy of 1 GiB (cudaMemcpyAsync, read and written): %.2f TB/s, from %.2f to %.2f beside the rows.\n",
                    device_.c_str(), median(copies) / 1e12, *std::min_element(copies.begin(), copies.end()) / 1e12,
                    *std::max_element(copies.begin(), copies.end()) / 1e12);
    if (!options_.json.empty()) write_json();
    const auto failed = std::count_if(results_.begin(), results_.end(), [](const Result &r) { return !r.error.empty(); });
    if (failed) std::fprintf(stderr, "mpt_bench_gpu: %ld of %zu rows failed\n", static_cast<long>(failed), results_.size());
    return failed == 0;
}

void Table::write_json() const {
    struct Close {
        void operator()(std::FILE *file) const { std::fclose(file); }
    };
    const std::unique_ptr<std::FILE, Close> file(std::fopen(options_.json.c_str(), "w"));
    if (!file) throw std::runtime_error("--json " + options_.json + ": cannot be written");
    std::fprintf(file.get(), "{\"device\": %s, \"rows\": [", quoted(device_).c_str());
    const char *separator = "\n";
    for (const Result &r : results_) {
        std::fprintf(file.get(), "%s  {\"name\": %s, \"format\": %s", separator, quoted(r.name).c_str(), quoted(r.format).c_str());
        separator = ",\n";
        if (!r.error.empty())
            std::fprintf(file.get(), ", \"error\": %s}", quoted(r.error).c_str());
        else
            std::fprintf(file.get(),
                         ", \"moved\": %s, \"bytes\": %.0f, \"flops\": %.0f, \"ms\": %.6g, \"ceiling_per_second\": %.6g, "
                         "\"ratio\": %.5g, \"spread\": %.5g, \"steps\": %d, \"candidates\": %d}",
                         quoted(r.moved).c_str(), r.bytes, r.flops, r.ms, r.ceiling, r.ratio, r.spread, r.steps, r.candidates);
    }
    std::fprintf(file.get(), "\n]}\n");
    if (std::ferror(file.get()) || std::fflush(file.get()) != 0)
        throw std::runtime_error("--json " + options_.json + ": not written completely; is the disk full?");
}
