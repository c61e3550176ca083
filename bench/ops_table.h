// The ops that are timed, each with a shape from the networks that people train.
#ifndef MPT_BENCH_OPS_TABLE_H
#define MPT_BENCH_OPS_TABLE_H

#include <mpt.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

// Throws std::runtime_error with mpt's message.
void check(mpt_status status, const char *call);
#define OK(call) check((call), #call)

struct ReleaseTensor {
    void operator()(mpt_tensor *tensor) const { mpt_tensor_release(tensor); }
};
using Tensor = std::unique_ptr<mpt_tensor, ReleaseTensor>;
using Tensors = std::vector<Tensor>;
using Shape = std::vector<int64_t>;

double bytes_of(const mpt_tensor *tensor);

// The inputs of one benchmark, counted as they are made.
class Inputs {
public:
    Inputs(mpt_context *ctx, mpt_dtype dtype, bool gradients) : ctx_(ctx), dtype_(dtype), gradients_(gradients) {}

    mpt_context *context() const { return ctx_; }
    // Normal numbers in the benchmark's dtype (or another); asks for a gradient in a benchmark with backward.
    mpt_tensor *floats(const Shape &shape, mpt_dtype dtype = MPT_DTYPE_NONE);
    // The same of an image [N,C,H,W] with C innermost in memory, as convolutions leave it.
    mpt_tensor *image(int64_t n, int64_t c, int64_t h, int64_t w);
    // I64 numbers that walk over [0, limit) in strides.
    mpt_tensor *indices(const Shape &shape, int64_t limit);
    // Owns a tensor made elsewhere and counts it as an input.
    mpt_tensor *keep(mpt_tensor *tensor);

    double input_bytes() const { return input_bytes_; }
    double gradient_bytes() const { return gradient_bytes_; }

private:
    mpt_tensor *leaf(mpt_tensor *tensor);  // fills it

    mpt_context *ctx_;
    mpt_dtype dtype_;
    bool gradients_;
    double input_bytes_ = 0, gradient_bytes_ = 0;
    Tensors all_;
    std::vector<std::vector<char>> memory_;  // of images
};

// One op on its inputs.
struct Work {
    std::function<Tensors()> forward;
    double flops = 0;          // of the products in forward; 0: an op that is measured by bytes. Backward has twice as many
    double reread = 0;         // bytes of inputs or outputs that the gradient's formula needs again
    double input_bytes = -1;   // where not all of the inputs is read; -1: all of them
    double output_bytes = -1;  // of what forward writes in place; -1: its results
};

struct Op {
    std::string name;
    std::function<Work(Inputs &)> prepare;
    bool backward = true;
    std::vector<mpt_dtype> dtypes = {MPT_F32, MPT_BF16, MPT_F16};
};

std::vector<Op> ops_table();

#endif
