// Orders along a dimension. Where elements were is seen by the shared body through mpt_gather.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "common/random.h"
#include "ops/op_test.h"
#include "ops/reference.h"

namespace test {

namespace {

constexpr Bound kExact{0, Scale::Result, 0, 0, Scale::Result};
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Form {
    const char *name;
    Shape shape;
    std::int32_t dim;
    Layout layout = Layout::Contiguous;
};
std::vector<Form> forms() {
    return {{"Rows", {4, 7}, 1},
            {"Columns", {5, 11}, 0},
            {"Vector", {13}, 0},
            {"One", {3, 1}, -1},
            {"NoRows", {0, 4}, 1},
            {"Middle", {2, 5, 9}, 1},
            {"Transposed", {6, 7}, 1, Layout::Transposed},
            {"Sliced", {3, 5, 4}, -2, Layout::Sliced},
            {"Channels", {2, 9, 3, 4}, 1, Layout::ChannelsLast},
            {"Long", {2, 3001}, 1},
            {"LargeColumns", {129, 300}, 0}};
}

std::size_t dim_of(const Form &form) {
    return static_cast<std::size_t>(form.dim < 0 ? form.dim + static_cast<std::int32_t>(form.shape.size()) : form.dim);
}

// The first k of each line in order.
Values ordered(const Values &x, std::size_t dim, std::int64_t k, bool descending) {
    Shape shape = x.shape;
    shape[dim] = k;
    return tabulate(shape, [&](Shape at) {
        const auto place = static_cast<std::size_t>(at[dim]);
        std::vector<double> line;
        for (at[dim] = 0; at[dim] < x.shape[dim]; ++at[dim]) line.push_back(element(x, at));
        std::sort(line.begin(), line.end());
        if (descending) std::reverse(line.begin(), line.end());
        return line[place];
    });
}

Case order(const char *op, const std::string &name, const Form &form, std::int64_t k, bool descending,
           const std::function<mpt_status(mpt_tensor *, mpt_tensor **, mpt_tensor **)> &function, bool gathered) {
    return {.op = op,
            .name = name,
            .inputs = {{.shape = form.shape, .distinct = true, .layout = form.layout}},
            .apply =
                [=](In in, Out out) {
                    Tensor values, indices;
                    if (!gathered) return function(in[0], out, indices.out());
                    MUST(function(in[0], values.out(), indices.out()));
                    return mpt_gather(in[0], form.dim, indices, out);
                },
            .reference = [=](const std::vector<Values> &in) { return ordered(in[0], dim_of(form), k, descending); },
            .bound = kExact,
            .any_thread_count = true};
}

std::vector<Case> cases() {
    std::vector<Case> all;
    for (const Form &form : forms()) {
        const std::int64_t n = form.shape[dim_of(form)], k = std::min<std::int64_t>(n, 3);
        for (bool descending : {false, true}) {
            const std::string name = std::string(form.name) + (descending ? "Down" : "Up");
            const auto sort = [=](mpt_tensor *x, mpt_tensor **v, mpt_tensor **i) {
                return mpt_sort(x, form.dim, descending, v, i);
            };
            const auto topk = [=](mpt_tensor *x, mpt_tensor **v, mpt_tensor **i) {
                return mpt_topk(x, k, form.dim, descending, v, i);
            };
            const auto arg = [=](mpt_tensor *x, mpt_tensor **, mpt_tensor **i) {
                return (descending ? mpt_argmax : mpt_argmin)(x, form.dim, 1, i);
            };
            all.push_back(order("mpt_sort", name, form, n, descending, sort, false));
            all.push_back(order("mpt_sort", name + "Places", form, n, descending, sort, true));
            all.push_back(order("mpt_topk", name, form, k, descending, topk, false));
            all.push_back(order("mpt_topk", name + "Places", form, k, descending, topk, true));
            all.push_back(order(descending ? "mpt_argmax" : "mpt_argmin", form.name, form, 1, descending, arg, true));
        }
    }
    return all;
}

// A case with the places as they are.
class Sort : public DeviceTest {
protected:
    void expect(mpt_dtype dtype, const std::vector<double> &x, bool descending, const std::vector<double> &places) {
        const Tensor t = make(ctx, dtype, x);
        Tensor values, indices;
        MUST(mpt_sort(t, 0, descending, values.out(), indices.out()));
        EXPECT_EQ(read(indices), places) << mpt_dtype_name(dtype) << (descending ? " down" : " up");
        const std::vector<double> got = read(values);
        for (std::size_t i = 0; i < x.size(); ++i) {
            const double original = x[static_cast<std::size_t>(places[i])];
            EXPECT_TRUE(got[i] == original || (std::isnan(got[i]) && std::isnan(original)));
        }
        MUST(mpt_topk(t, 3, 0, descending, values.out(), indices.out()));
        EXPECT_EQ(read(indices), std::vector<double>(places.begin(), places.begin() + 3)) << mpt_dtype_name(dtype);
    }
};

}  // namespace

INSTANTIATE_OP_TESTS(Sort, cases());
INSTANTIATE_ON_EVERY_DEVICE(Sort);

TEST_P(Sort, IsStableAndPutsNanLast) {
    const double nan = std::nan("");
    for (mpt_dtype dtype : formats(GetParam())) {
        expect(dtype, {2, 1, 2, -1, 1, 2}, false, {3, 1, 4, 0, 2, 5});
        expect(dtype, {2, 1, 2, -1, 1, 2}, true, {0, 2, 5, 1, 4, 3});
        expect(dtype, {nan, kInfinity, -0.0, nan, 0.0, -kInfinity}, false, {5, 2, 4, 1, 0, 3});
        expect(dtype, {nan, kInfinity, -0.0, nan, 0.0, -kInfinity}, true, {0, 3, 1, 2, 4, 5});
    }
}

// Beyond the length from which another algorithm sorts.
TEST_P(Sort, LongLinesOfFewValues) {
    for (mpt_dtype dtype : formats(GetParam()))
        for (bool descending : {false, true}) {
            Random random(7);
            std::vector<double> x;
            for (int i = 0; i < 20000; ++i) x.push_back(static_cast<double>(random.below(100)) - 50);
            std::vector<std::size_t> order(x.size());
            std::iota(order.begin(), order.end(), std::size_t{0});
            std::stable_sort(order.begin(), order.end(),
                             [&](std::size_t a, std::size_t b) { return descending ? x[a] > x[b] : x[a] < x[b]; });
            expect(dtype, x, descending, {order.begin(), order.end()});
        }
}

TEST_P(Sort, TheFirstOfEqualsAndNan) {
    const double nan = std::nan("");
    for (mpt_dtype dtype : formats(GetParam()))
        for (bool columns : {false, true}) {
            Values v{{9, 4}, {1, 3,   3,          2,          5,          5,          5,         5,   1,         nan,
                              9, nan, -kInfinity, -kInfinity, -kInfinity, -kInfinity, kInfinity, nan, kInfinity, 0}};
            v.data.resize(36, 0);
            Tensor x = make(ctx, dtype, v), turned, y;
            if (columns) {
                MUST(mpt_transpose(x, 0, nullptr, turned.out()));
                MUST(mpt_contiguous(turned, x.out()));
            }
            MUST(mpt_argmax(x, columns ? 0 : 1, 0, y.out()));
            EXPECT_EQ(read(y), (std::vector<double>{1, 0, 1, 0, 1, 0, 0, 0, 0})) << mpt_dtype_name(dtype);
            MUST(mpt_argmin(x, columns ? 0 : 1, 0, y.out()));
            EXPECT_EQ(read(y), (std::vector<double>{0, 0, 1, 0, 1, 0, 0, 0, 0})) << mpt_dtype_name(dtype);
        }
    // NaN in a later piece of a long line, and equal maxima in two pieces.
    std::vector<double> line(5000, 1);
    line[1500] = line[4000] = 2;
    Tensor y;
    MUST(mpt_argmax(make(ctx, MPT_F32, line), 0, 1, y.out()));
    EXPECT_EQ(read(y)[0], 1500);
    line[3000] = line[4500] = nan;
    for (auto *f : {mpt_argmax, mpt_argmin}) {
        MUST(f(make(ctx, MPT_F32, line), 0, 1, y.out()));
        EXPECT_EQ(read(y)[0], 3000);
        EXPECT_EQ(shape_of(y), Shape{1});
    }
}

TEST_P(Sort, Nothing) {
    const Tensor x = create(ctx, MPT_F32, {3, 0});
    Tensor values, indices;
    MUST(mpt_sort(x, 1, 0, values.out(), indices.out()));
    EXPECT_EQ(shape_of(values), (Shape{3, 0}));
    MUST(mpt_topk(make(ctx, MPT_F32, {1, 2}), 0, 0, 1, values.out(), indices.out()));
    EXPECT_EQ(shape_of(indices), (Shape{0}));
    EXPECT_EQ(mpt_argmax(x, 1, 0, values.out()), MPT_ERROR_SHAPE);
}

}  // namespace test
