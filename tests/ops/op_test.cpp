#include "ops/op_test.h"

#include <cctype>
#include <cmath>
#include <fstream>
#include <list>
#include <numeric>
#include <set>
#include <sstream>

namespace test {

namespace {

std::list<std::vector<Case>> &tables() {
    static std::list<std::vector<Case>> all;
    return all;
}

constexpr double kStep = 1e-5;         // of finite differences: truncation h^2 f''' / 6 meets rounding 2^-53 |f| / h
constexpr double kDifference = 1e-7;   // bound on their error, relative to the larger of 1 and the largest gradient
constexpr std::int64_t kSamples = 48;  // perturbed elements of each input

// The tensor that the op reads, as a view of what holds it.
Tensor view_as(Layout layout, mpt_tensor *base, const Shape &shape) {
    Tensor view;
    const auto n = static_cast<std::int32_t>(shape.size());
    switch (layout) {
        case Layout::Contiguous: {
            mpt_tensor_retain(base);
            view = Tensor(base);
            break;
        }
        case Layout::Transposed:
            MUST(mpt_transpose(base, 0, nullptr, view.out()));
            break;
        case Layout::Sliced: {
            mpt_tensor_retain(base);
            view = Tensor(base);
            for (std::int32_t d = 0; d < n; ++d) {
                Tensor next;
                MUST(mpt_slice(view, d, 1, shape[static_cast<std::size_t>(d)], next.out()));
                view = std::move(next);
            }
            break;
        }
        case Layout::Strided: {
            Tensor column;
            MUST(mpt_slice(base, n, 1, 1, column.out()));
            MUST(mpt_reshape(column, n, shape.data(), view.out()));
            break;
        }
        case Layout::ChannelsLast: {
            const std::int32_t dims[] = {0, 3, 1, 2};
            MUST(mpt_transpose(base, 4, dims, view.out()));
        }
    }
    return view;
}

Shape base_shape(Layout layout, Shape shape) {
    switch (layout) {
        case Layout::Contiguous:
            break;
        case Layout::Transposed:
            std::swap(shape[shape.size() - 1], shape[shape.size() - 2]);
            break;
        case Layout::Sliced:
            for (std::int64_t &extent : shape) extent += 3;
            break;
        case Layout::Strided:
            shape.push_back(2);
            break;
        case Layout::ChannelsLast:
            shape = {shape[0], shape[2], shape[3], shape[1]};
    }
    return shape;
}

mpt_dtype type_of(const Operand &operand, mpt_dtype format) {
    return operand.index ? operand.index : operand.wide ? wide(format) : format;
}

// An input in its place: a leaf, and the op's view of it.
class Input {
public:
    Input(mpt_context *ctx, const Operand &operand, mpt_dtype format, const Values &values) : operand_(operand) {
        leaf_ = create(ctx, type_of(operand, format), base_shape(operand.layout, operand.shape));
        if (!operand.index) MUST(mpt_tensor_fill(leaf_, std::nan("")));
        set(values.data);
    }
    void set(const std::vector<double> &data) { write(view_as(operand_.layout, leaf_, operand_.shape), data); }
    void track() { MUST(mpt_tensor_set_requires_grad(leaf_, 1)); }
    Tensor view() const { return view_as(operand_.layout, leaf_, operand_.shape); }
    Tensor grad() const { return view_as(operand_.layout, gradient(leaf_), operand_.shape); }
    bool floating() const { return !operand_.index; }

private:
    const Operand &operand_;
    Tensor leaf_;
};

std::vector<Input> place(mpt_context *ctx, const Case &c, mpt_dtype format, const std::vector<Values> &values) {
    std::vector<Input> inputs;
    for (std::size_t i = 0; i < values.size(); ++i) inputs.emplace_back(ctx, c.inputs[i], format, values[i]);
    return inputs;
}

// What the output's gradient lies in. Where an input's channels lie beside each other, as between a network's layers, so do the
// gradient's, if the op gives such an output.
Layout layout_of_seed(const Case &c, mpt_tensor *out) {
    const Shape shape = shape_of(out);
    const bool asked =
        std::any_of(c.inputs.begin(), c.inputs.end(), [](const Operand &o) { return o.layout == Layout::ChannelsLast; });
    if (!asked || shape.size() != 4) return Layout::Contiguous;
    std::int64_t strides[4];
    MUST(mpt_tensor_strides(out, strides, 4));
    return strides[1] == 1 && strides[3] == shape[1] ? Layout::ChannelsLast : Layout::Contiguous;
}

Tensor forward(const Case &c, const std::vector<Input> &inputs) {
    std::vector<Tensor> views;
    std::vector<mpt_tensor *> in;
    for (const Input &input : inputs) {
        views.push_back(input.view());
        in.push_back(views.back());
    }
    Tensor out;
    must(c.apply(in.data(), out.out()), c.op.c_str());
    return out;
}

struct Run {
    mpt_dtype dtype;
    Values out;
    std::vector<std::vector<double>> grads;  // empty where there is none
    std::vector<std::uint8_t> bits;          // of all of them
};

// The forward, and the gradients of sum(out * cotangent) in the inputs of `only` (all floating ones: -1), `times` times
// over, the later ones added.
Run run(mpt_context *ctx, const Case &c, mpt_dtype format, const std::vector<Values> &values, const std::vector<double> &cotangent,
        int only = -1, int times = 1) {
    std::vector<Input> inputs = place(ctx, c, format, values);
    for (std::size_t i = 0; i < inputs.size(); ++i)
        if (inputs[i].floating() && (only < 0 || static_cast<std::size_t>(only) == i)) inputs[i].track();
    Run result;
    for (int t = 0; t < times; ++t) {
        const Tensor out = forward(c, inputs);
        result.dtype = dtype_of(out);
        result.out = {shape_of(out), read(out)};
        result.bits = read_bytes(out);
        if (cotangent.empty()) return result;
        const Layout layout = layout_of_seed(c, out);
        const Tensor lies_in = create(ctx, result.dtype, base_shape(layout, result.out.shape));
        const Tensor seed = view_as(layout, lies_in, result.out.shape);
        write(seed, cotangent);
        mpt_tensor *root = out, *start = seed;
        MUST(mpt_backward_from(&root, &start, 1, t == 0 ? MPT_GRAD_WRITE : MPT_GRAD_ADD));
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        result.grads.emplace_back();
        if (!inputs[i].floating() || (only >= 0 && static_cast<std::size_t>(only) != i)) continue;
        const Tensor grad = inputs[i].grad();
        result.grads.back() = read(grad);
        const std::vector<std::uint8_t> bits = read_bytes(grad);
        result.bits.insert(result.bits.end(), bits.begin(), bits.end());
    }
    return result;
}

std::vector<Values> draw(const Case &c, mpt_dtype format) {
    Random random(std::hash<std::string>()(c.op + c.name));
    std::vector<Values> all;
    for (const Operand &o : c.inputs) {
        Values v{o.shape, std::vector<double>(static_cast<std::size_t>(count(o.shape)))};
        const auto n = static_cast<std::int64_t>(v.data.size());
        for (std::int64_t i = 0; i < n; ++i) {
            double &x = v.data[static_cast<std::size_t>(i)];
            if (o.distinct) {
                x = o.low + (o.high - o.low) * (static_cast<double>(i) + 0.5) / static_cast<double>(n);
                std::swap(x, v.data[static_cast<std::size_t>(random.below(i + 1))]);
            } else {
                x = random.uniform(o.low, o.high);
                if (std::fabs(x) < o.gap) x = x < 0 ? x - o.gap : x + o.gap;
            }
        }
        for (double &x : v.data) x = o.index ? std::floor(x) : rounded(type_of(o, format), x);
        all.push_back(std::move(v));
    }
    return all;
}

std::vector<double> draw_cotangent(std::int64_t n, mpt_dtype format) {
    Random random(20);
    std::vector<double> cotangent;
    for (std::int64_t i = 0; i < n; ++i) cotangent.push_back(rounded(format, random.uniform(-1, 1)));
    return cotangent;
}

std::vector<Values> magnitudes(const Case &c, std::vector<Values> values) {
    for (std::size_t i = 0; i < values.size(); ++i)
        if (!c.inputs[i].index)
            for (double &x : values[i].data) x = std::fabs(x);
    return values;
}

// An element's scale: see the head of op_test.h.
std::vector<double> scales(Scale kind, const std::vector<double> &exact, const std::vector<double> &of_magnitudes) {
    std::vector<double> scale = kind == Scale::Magnitudes ? of_magnitudes : exact;
    for (double &s : scale) s = std::fabs(s);
    if (kind == Scale::Largest && !scale.empty()) scale.assign(scale.size(), *std::max_element(scale.begin(), scale.end()));
    return scale;
}

void expect_within(const std::vector<double> &got, const std::vector<double> &exact, const std::vector<double> &bound,
                   const std::string &what) {
    ASSERT_EQ(got.size(), exact.size()) << what;
    int wrong = 0;
    double worst = 0;
    std::ostringstream first;
    for (std::size_t i = 0; i < got.size(); ++i) {
        const double error = std::fabs(got[i] - exact[i]);
        if (bound[i] > 0) worst = std::max(worst, error / bound[i]);
        if (error <= bound[i] || got[i] == exact[i] || (std::isnan(got[i]) && std::isnan(exact[i]))) continue;
        if (wrong++ == 0)
            first << "element " << i << " is " << got[i] << ", exactly " << exact[i] << ", error " << error << ", bound "
                  << bound[i];
    }
    EXPECT_EQ(wrong, 0) << what << ": " << wrong << " of " << got.size() << " elements; " << first.str() << "; worst error / bound "
                        << worst;
}

double epsilon(mpt_dtype format) {
    return 2 * roundoff(wide(format));
}

void expect_forward(const Case &c, const Run &got, mpt_dtype format, const Values &exact,
                    const std::vector<double> &of_magnitudes) {
    EXPECT_EQ(got.out.shape, exact.shape) << "the result's shape";
    std::vector<double> bound = scales(c.bound.scale, exact.data, of_magnitudes);
    for (std::size_t i = 0; i < bound.size(); ++i)
        bound[i] = roundoff(got.dtype) * std::fabs(exact.data[i]) +
                   (c.bound.inner * roundoff(format) + c.bound.c * epsilon(format)) * bound[i] + smallest(got.dtype);
    expect_within(got.out.data, exact.data, bound, "forward");
}

void expect_gradients(const Case &c, const Run &got, mpt_dtype format, const Run &exact, const Run &of_magnitudes) {
    for (std::size_t i = 0; i < exact.grads.size(); ++i) {
        std::vector<double> bound = scales(c.bound.gradient_scale, exact.grads[i], of_magnitudes.grads[i]);
        for (double &b : bound)
            b = (c.bound.stores * roundoff(format) + c.bound.gradient_c * epsilon(format)) * b + c.bound.stores * smallest(format);
        expect_within(got.grads[i], exact.grads[i], bound, "gradient of input " + std::to_string(i));
    }
}

// Perturbs a sample of every floating input.
void expect_differences(mpt_context *ctx, const Case &c, const std::vector<Values> &values, const std::vector<double> &cotangent,
                        const Run &analytic) {
    std::vector<Input> inputs = place(ctx, c, MPT_F64, values);
    Random random(21);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (!inputs[i].floating()) continue;
        const auto n = static_cast<std::int64_t>(values[i].data.size());
        double scale = 1;
        for (double g : analytic.grads[i]) scale = std::max(scale, std::fabs(g));
        std::vector<double> data = values[i].data;
        for (std::int64_t s = 0; s < std::min(n, kSamples); ++s) {
            const auto at = static_cast<std::size_t>(n <= kSamples ? s : random.below(n));
            std::vector<double> out[2];
            for (int side = 0; side < 2; ++side) {
                data[at] = values[i].data[at] + (side ? kStep : -kStep);
                inputs[i].set(data);
                out[side] = read(forward(c, inputs));
            }
            data[at] = values[i].data[at];
            double difference = 0;
            for (std::size_t k = 0; k < cotangent.size(); ++k) difference += (out[1][k] - out[0][k]) * cotangent[k];
            difference /= 2 * kStep;
            ASSERT_NEAR(analytic.grads[i][at], difference, kDifference * scale)
                << "gradient of input " << i << ", element " << at << " against finite differences";
        }
        inputs[i].set(data);
    }
}

void check_f64(mpt_context *ctx, const Case &c) {
    SCOPED_TRACE("f64");
    const std::vector<Values> values = draw(c, MPT_F64);
    const Run plain = run(ctx, c, MPT_F64, values, {});
    const std::vector<double> cotangent = draw_cotangent(static_cast<std::int64_t>(plain.out.data.size()), MPT_F64);
    ASSERT_TRUE(c.reference);
    expect_forward(c, plain, MPT_F64, c.reference(values), run(ctx, c, MPT_F64, magnitudes(c, values), {}).out.data);
    if (cotangent.empty()) return;
    const Run all = run(ctx, c, MPT_F64, values, cotangent);
    expect_differences(ctx, c, values, cotangent, all);
    // A rule works out only what is asked for.
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (c.inputs[i].index) continue;
        EXPECT_EQ(run(ctx, c, MPT_F64, values, cotangent, static_cast<int>(i)).grads[i], all.grads[i])
            << "gradient of input " << i << " alone";
    }
    const Run twice = run(ctx, c, MPT_F64, values, cotangent, -1, 2);
    for (std::size_t i = 0; i < all.grads.size(); ++i)
        for (std::size_t k = 0; k < all.grads[i].size(); ++k)
            ASSERT_NEAR(twice.grads[i][k], 2 * all.grads[i][k], 1e-12 * std::fabs(all.grads[i][k]) + 1e-14)
                << "accumulated gradient of input " << i;
}

void check_format(mpt_context *ctx, mpt_context *oracle, const Case &c, mpt_dtype format) {
    SCOPED_TRACE(mpt_dtype_name(format));
    const std::vector<Values> values = draw(c, format);
    const Run shape = run(oracle, c, MPT_F64, values, {});
    std::vector<double> cotangent = draw_cotangent(static_cast<std::int64_t>(shape.out.data.size()), format);
    const Run exact = run(oracle, c, MPT_F64, values, cotangent);
    const Run got = run(ctx, c, format, values, cotangent);
    for (double &x : cotangent) x = std::fabs(x);
    const Run of_magnitudes = run(oracle, c, MPT_F64, magnitudes(c, values), cotangent);
    expect_forward(c, got, format, exact.out, of_magnitudes.out.data);
    expect_gradients(c, got, format, exact, of_magnitudes);
}

void check_bits(mpt_context *ctx, Device device, const Case &c, mpt_dtype format) {
    SCOPED_TRACE(std::string("bits of ") + mpt_dtype_name(format));
    const std::vector<Values> values = draw(c, format);
    const std::vector<double> cotangent =
        draw_cotangent(static_cast<std::int64_t>(run(ctx, c, format, values, {}).out.data.size()), format);
    const Run first = run(ctx, c, format, values, cotangent);
    for (int again = 0; again < 2; ++again)
        EXPECT_TRUE(run(ctx, c, format, values, cotangent).bits == first.bits) << "a repetition gives other bits";
    if (!c.any_thread_count || device == Device::Cuda) return;
    for (int threads : {1, 3}) {
        const Context other = must_open(device, threads);
        EXPECT_TRUE(run(other, c, format, values, cotangent).bits == first.bits) << threads << " threads give other bits than 2";
    }
}

}  // namespace

const std::vector<Case> &add_cases(std::vector<Case> cases) {
    return tables().emplace_back(std::move(cases));
}

std::ostream &operator<<(std::ostream &out, const OpParam &param) {
    return out << param.c->op << " " << param.c->name << " on " << param.device;
}

std::vector<OpParam> on_every_device(const std::vector<Case> &cases) {
    std::vector<OpParam> params;
    for (const Case &c : cases)
        for (Device device : kDevices) params.push_back({&c, device});
    return params;
}

std::string op_label(const testing::TestParamInfo<OpParam> &info) {
    return info.param.c->op.substr(4) + "_" + info.param.c->name + "_" + name_of(info.param.device);
}

TEST_P(OpTest, ForwardAndGradient) {
    const auto [c, device] = GetParam();
    Context ctx;
    const mpt_status status = open(device, 2, ctx);
    if (status == MPT_ERROR_DEVICE && device == Device::Cuda) GTEST_SKIP() << mpt_last_error();
    must(status, "mpt_context_create");
    // Arithmetic in f64 is the CPU's alone; that context is the oracle of every device.
    const Context oracle = must_open(Device::CpuPortable);
    if (device != Device::Cuda) check_f64(ctx, *c);
    for (mpt_dtype format : {MPT_F32, MPT_F16, MPT_BF16}) {
        check_format(ctx, oracle, *c, format);
        check_bits(ctx, device, *c, format);
    }
}

// Every function of the header's section "Ops" has a case above.
TEST(OpTests, CoverTheHeader) {
    std::ifstream file(MPT_TEST_SOURCE_DIR "/include/mpt.h");
    ASSERT_TRUE(file) << MPT_TEST_SOURCE_DIR;
    std::set<std::string> tested, declared;
    for (const auto &table : tables())
        for (const Case &c : table) tested.insert(c.op);
    bool inside = false;
    for (std::string line; std::getline(file, line);) {
        if (line.rfind(" * Ops.", 0) == 0) inside = true;
        if (line.rfind(" * Custom ops", 0) == 0) inside = false;  // the host's own: tests/training/custom_test.cpp
        const std::string start = "MPT_API mpt_status MPT_CALL ";
        if (!inside || line.rfind(start, 0) != 0) continue;
        const std::string name = line.substr(start.size(), line.find('(') - start.size());
        const std::string init = "_params_init";  // of a descriptor: computes nothing
        if (name.size() < init.size() || name.compare(name.size() - init.size(), init.size(), init) != 0) declared.insert(name);
    }
    EXPECT_GE(declared.size(), 20u) << "the section 'Ops' was not understood";
    for (const std::string &name : declared) EXPECT_TRUE(tested.count(name)) << name << " has no case in tests/ops";
    for (const std::string &name : tested) EXPECT_TRUE(declared.count(name)) << name << " is no function of the section 'Ops'";
}

}  // namespace test
