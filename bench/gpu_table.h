// The table of a GPU's kernels: what a row is, how it is timed beside its ceiling, how it is printed.
#ifndef MPT_BENCH_GPU_TABLE_H
#define MPT_BENCH_GPU_TABLE_H

#include <cuda_runtime_api.h>

#include <cstdio>

#include "gpu_product.h"
#include "ops_table.h"

struct ReleaseProgram {
    void operator()(mpt_program *program) const { mpt_program_release(program); }
};
using Program = std::unique_ptr<mpt_program, ReleaseProgram>;

// Where rows are made. A dry run needs no GPU: it has the CPU and small tensors.
struct Stage {
    mpt_context *ctx = nullptr;
    bool dry = false;
    cudaStream_t stream = nullptr;

    int64_t extent(int64_t full) const;
    Shape small(Shape shape) const;
    // Normal numbers.
    Tensor floats(mpt_dtype dtype, const Shape &shape) const;
    // The same, of which only the first row belongs to a leaf: what records a backward to here has the gradient of all of it, but
    // no copy of that into a leaf's own.
    Tensor tracked(mpt_dtype dtype, const Shape &shape) const;
    // Class indices from [0, limit).
    Tensor classes(int64_t count, int64_t limit) const;
};

// A view.
Tensor transposed(const Tensor &x, const int32_t (&order)[4]);

// A row made: its program and what a run of it does.
struct Ready {
    Program program;
    Program less;                               // what of it is not the row's: its time is taken off
    Tensors kept;                               // the program's outputs and what it does not keep itself
    std::vector<std::shared_ptr<void>> others;  // handles of other kinds
    double bytes = 0;                           // compulsory ones of a run; 0: a product
    double flops = 0;                           // of one product
    int repeats = 1;                            // products in the program
    std::unique_ptr<BareProduct> bare;          // the ceiling of a product
};

struct Row {
    std::string name, format;
    std::string moved;  // the tensors that are counted, each once
    std::function<Ready(const Stage &)> make;
};
using Rows = std::vector<Row>;

// Records what body calls into ready; what it returns are the program's outputs.
void record(const Stage &stage, const std::function<Tensors()> &body, Ready &ready);
Program record(const Stage &stage, const std::function<Tensors()> &body, Tensors &outputs);
// Records the gradient of roots, which are contiguous and of one shape, from normal numbers. mpt_backward_from copies those first, and
// a row of each result goes to a leaf: both are in less, too.
void record_backward(const Stage &stage, const std::vector<mpt_tensor *> &roots, Ready &ready);

Rows optimizer_rows();
Rows norm_rows();
Rows pool_rows();
Rows class_rows();
Rows elementwise_rows();
Rows product_rows();
Rows attention_rows();

struct TableOptions {
    double seconds = 0.2;  // per row, ceiling included
    bool plan = false;     // each program's text, too
    std::string json;      // a file's name, or empty
};

class Table {
public:
    Table(const Stage &stage, const TableOptions &options, const std::string &device);
    ~Table();
    Table(const Table &) = delete;
    Table &operator=(const Table &) = delete;

    // Prints the row or why it failed.
    void run(const Row &row);
    // Writes the file, if one was asked for. True: no row failed.
    bool finish();

private:
    struct Result {
        std::string name, format, moved, error;
        double bytes = 0, flops = 0, ms = 0, ceiling = 0, ratio = 0, spread = 0;  // ceiling: in bytes or operations per second
        int steps = 0, candidates = 0;
    };

    Result measure(const Row &row);
    // Milliseconds per run of `count` runs.
    double time(const std::function<void()> &run, int count);
    void copy();
    void print(const Result &result);
    void write_json() const;

    Stage stage_;
    TableOptions options_;
    std::string device_;
    std::vector<Result> results_;
    int printed_ = 0;  // 1: rows of bytes, 2: products
    cudaEvent_t begin_ = nullptr, end_ = nullptr;
    DeviceMemory from_, to_;
};

#endif
