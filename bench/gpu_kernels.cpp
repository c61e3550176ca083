// The kernels of the CUDA module by themselves: bytes per second beside those of a copy, products beside bare cuBLASLt; the table
// of docs/benchmarks.md.
//   mpt_bench_gpu [--filter REGEX] [--seconds S] [--json FILE] [--plan] [--check]
// Each row is a captured program; it and its ceiling are timed in alternation, with events on mpt's stream.
#include <cstdlib>
#include <cstring>
#include <regex>
#include <stdexcept>

#include "gpu_table.h"

namespace {

constexpr const char *usage =
    "usage: mpt_bench_gpu [--filter REGEX] [--seconds S] [--json FILE] [--plan] [--check]\n"
    "  --filter REGEX  only rows whose \"name format\" it is found in\n"
    "  --seconds S     per row, ceiling included; default 0.2\n"
    "  --json FILE     the figures for programs\n"
    "  --plan          each program's steps on stderr\n"
    "  --check         no times: records and runs every row with small tensors on the CPU\n";

struct Options {
    std::regex filter{""};
    TableOptions table;
    bool check = false;
};

Options parse(int argc, char **argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string key = argv[i];
        const auto value = [&] {
            if (i + 1 >= argc) throw std::invalid_argument(key + " needs a value");
            return std::string(argv[++i]);
        };
        if (key == "--filter") {
            const std::string text = value();
            try {
                options.filter = std::regex(text);
            } catch (const std::regex_error &e) {
                throw std::invalid_argument("--filter '" + text + "' is no regular expression: " + e.what());
            }
        } else if (key == "--seconds") {
            const std::string text = value();
            char *end = nullptr;
            options.table.seconds = std::strtod(text.c_str(), &end);
            if (end == text.c_str() || *end || !(options.table.seconds > 0 && options.table.seconds <= 60))
                throw std::invalid_argument("--seconds is '" + text + "': give a number above 0, at most 60");
        } else if (key == "--json") {
            options.table.json = value();
        } else if (key == "--plan") {
            options.table.plan = true;
        } else if (key == "--check") {
            options.check = true;
        } else {
            throw std::invalid_argument(key + ": unknown");
        }
    }
    return options;
}

struct ReleaseContext {
    void operator()(mpt_context *ctx) const { mpt_context_release(ctx); }
};

bool measure(const Options &options) {
    mpt_context_desc desc;
    OK(mpt_context_desc_init(&desc, sizeof desc));
    desc.device = options.check ? MPT_DEVICE_CPU : MPT_DEVICE_CUDA;
    Stage stage;
    stage.dry = options.check;
    OK(mpt_context_create(&desc, &stage.ctx));
    const std::unique_ptr<mpt_context, ReleaseContext> context(stage.ctx);
    void *stream;
    OK(mpt_context_stream(stage.ctx, &stream));
    stage.stream = static_cast<cudaStream_t>(stream);
    char text[512];
    OK(mpt_context_describe(stage.ctx, text, sizeof text, nullptr));

    Table table(stage, options.table, text);
    int found = 0;
    for (const auto &rows : {optimizer_rows, norm_rows, pool_rows, class_rows, elementwise_rows, product_rows, attention_rows})
        for (const Row &row : rows())
            if (std::regex_search(row.name + " " + row.format, options.filter)) table.run(row), ++found;
    if (found == 0) throw std::runtime_error("--filter leaves no row");
    return table.finish();
}

}  // namespace

int main(int argc, char **argv) {
    Options options;
    try {
        options = parse(argc, argv);
    } catch (const std::invalid_argument &e) {
        std::fprintf(stderr, "mpt_bench_gpu: %s\n%s", e.what(), usage);
        return 2;
    }
    try {
        return measure(options) ? 0 : 1;
    } catch (const std::exception &e) {
        std::fprintf(stderr, "mpt_bench_gpu: %s\n", e.what());
        return 1;
    }
}
