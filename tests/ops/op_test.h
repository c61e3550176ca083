// The shared body of the op tests. An op's file holds a table of cases; every case runs on every device and shows
//
//  1. in f64: the forward against the naive reference in the case, the gradient of sum(out * cotangent) against central
//     finite differences, each input's gradient alone, and accumulation;
//  2. in f32, f16 and bf16: forward and gradients against f64 on the same (rounded) inputs, within the case's bound;
//  3. the same bits in three runs, and for any number of threads where kernels promise that.
//
// The bounds, with u the roundoff of the element type, eps that of the arithmetic times 2 (2^-23; 2^-52 for f64), and
// an element's scale as the case says:
//
//     |out - exact|      <= u |exact| + inner u scale + c eps scale + smallest        results are rounded once, when they are stored
//     |gradient - exact| <= stores u scale + c eps scale + stores smallest
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/devices.h"
#include "common/random.h"
#include "common/tensors.h"

namespace test {

// How an input lies in memory. Gaps hold NaN, so that an element read by mistake shows.
enum class Layout {
    Contiguous,
    Transposed,    // the last two dimensions exchanged
    Sliced,        // cut out of a larger tensor in every dimension
    Strided,       // every other element
    ChannelsLast,  // N, C, H, W with C innermost
};

struct Operand {
    Shape shape = {};
    double low = -1, high = 1;
    double gap = 0;         // no value closer to 0: for ops with a kink there
    bool distinct = false;  // no two values equal: for maxima
    Layout layout = Layout::Contiguous;
    mpt_dtype index = MPT_DTYPE_NONE;  // integers from [low, high) in this type
    bool wide = false;                 // f32 beside 16-bit formats
};

// What an error is measured by.
enum class Scale {
    Result,      // the exact element itself
    Magnitudes,  // the same op on the inputs' magnitudes: sum |a||b| for a product
    Largest,     // the largest exact element of the tensor
};

struct Bound {
    double c = 1;  // forward
    Scale scale = Scale::Result;
    double gradient_c = 2;
    double stores = 1;  // roundings to the element type on the way to a gradient
    Scale gradient_scale = Scale::Result;
    double inner = 0;  // roundings to the element type on the way to the result
};

using In = mpt_tensor *const *;
using Out = mpt_tensor **;
using Apply = std::function<mpt_status(In, Out)>;
using Reference = std::function<Values(const std::vector<Values> &)>;

struct Case {
    std::string op;    // the function in mpt.h
    std::string name;  // of the case, unique for its op
    std::vector<Operand> inputs;
    Apply apply;
    Reference reference;
    Bound bound;
    bool any_thread_count = false;  // the bits do not depend on the number of threads
};

// Enters an op's table; used for OpTest and for the list of tested ops.
const std::vector<Case> &add_cases(std::vector<Case> cases);

struct OpParam {
    const Case *c;
    Device device;
};
std::ostream &operator<<(std::ostream &out, const OpParam &param);
std::vector<OpParam> on_every_device(const std::vector<Case> &cases);
std::string op_label(const testing::TestParamInfo<OpParam> &info);

class OpTest : public testing::TestWithParam<OpParam> {};

}  // namespace test

#define INSTANTIATE_OP_TESTS(family, cases) \
    INSTANTIATE_TEST_SUITE_P(family, OpTest, testing::ValuesIn(test::on_every_device(test::add_cases(cases))), test::op_label)
