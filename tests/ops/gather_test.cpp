// Reading and adding by index.
#include <cmath>

#include "common/random.h"
#include "ops/op_test.h"
#include "ops/reference.h"

namespace test {

namespace {

constexpr Bound kMoves{0, Scale::Result, 4, 2, Scale::Magnitudes};  // gradients are sums
constexpr Bound kAdds{4, Scale::Magnitudes, 4, 2, Scale::Magnitudes};
constexpr Bound kExact{0, Scale::Result, 0, 0, Scale::Result};

std::size_t at_end(std::int32_t dim, const Shape &shape) {
    return static_cast<std::size_t>(dim < 0 ? dim + static_cast<std::int32_t>(shape.size()) : dim);
}
Operand index_of(const Shape &shape, std::int64_t extent, mpt_dtype dtype, Layout layout = Layout::Contiguous) {
    return {.shape = shape, .low = 0, .high = static_cast<double>(extent), .layout = layout, .index = dtype};
}

Case select(const char *name, const Operand &x, std::int32_t dim, std::int64_t k, mpt_dtype dtype) {
    const std::size_t d = at_end(dim, x.shape);
    return {.op = "mpt_index_select",
            .name = name,
            .inputs = {x, index_of({k}, x.shape[d], dtype)},
            .apply = [=](In in, Out out) { return mpt_index_select(in[0], dim, in[1], out); },
            .reference =
                [=](const std::vector<Values> &in) {
                    Shape to = x.shape;
                    to[d] = k;
                    return tabulate(to, [&](Shape at) {
                        at[d] = static_cast<std::int64_t>(in[1].data[static_cast<std::size_t>(at[d])]);
                        return element(in[0], at);
                    });
                },
            .bound = kMoves,
            .any_thread_count = true};
}

Case gather(const char *name, const Operand &x, std::int32_t dim, const Shape &index, mpt_dtype dtype,
            Layout layout = Layout::Contiguous) {
    const std::size_t d = at_end(dim, x.shape);
    return {.op = "mpt_gather",
            .name = name,
            .inputs = {x, index_of(index, x.shape[d], dtype, layout)},
            .apply = [=](In in, Out out) { return mpt_gather(in[0], dim, in[1], out); },
            .reference =
                [=](const std::vector<Values> &in) {
                    return tabulate(index, [&](Shape at) {
                        at[d] = static_cast<std::int64_t>(element(in[1], at));
                        std::int64_t i = 0;
                        for (std::size_t k = 0; k < at.size(); ++k) i = i * x.shape[k] + at[k];
                        return in[0].data[static_cast<std::size_t>(i)];
                    });
                },
            .bound = kMoves,
            .any_thread_count = true};
}

Case scatter(const char *name, const Operand &x, std::int32_t dim, const Operand &src, mpt_dtype dtype,
             Layout layout = Layout::Contiguous) {
    const std::size_t d = at_end(dim, x.shape);
    return {.op = "mpt_scatter_add",
            .name = name,
            .inputs = {x, index_of(src.shape, x.shape[d], dtype, layout), src},
            .apply = [=](In in, Out out) { return mpt_scatter_add(in[0], dim, in[1], in[2], out); },
            .reference =
                [=](const std::vector<Values> &in) {
                    Values out = in[0];
                    for (std::int64_t j = 0; j < count(src.shape); ++j) {
                        Shape at = coordinates(src.shape, j);
                        at[d] = static_cast<std::int64_t>(in[1].data[static_cast<std::size_t>(j)]);
                        std::int64_t i = 0;
                        for (std::size_t k = 0; k < at.size(); ++k) i = i * x.shape[k] + at[k];
                        out.data[static_cast<std::size_t>(i)] += in[2].data[static_cast<std::size_t>(j)];
                    }
                    return out;
                },
            .bound = kAdds,
            .any_thread_count = true};
}

Case one_hot(const char *name, const Shape &shape, std::int64_t classes, mpt_dtype dtype, Layout layout = Layout::Contiguous) {
    Shape to = shape;
    to.push_back(classes);
    return {.op = "mpt_one_hot",
            .name = name,
            .inputs = {index_of(shape, classes + 1, dtype, layout), {.shape = to}},  // one of the indices is outside
            .apply =
                [=](In in, Out out) {
                    Tensor hot;
                    MUST(mpt_one_hot(in[0], classes, dtype_of(in[1]), hot.out()));
                    return mpt_mul(hot, in[1], out);
                },
            .reference =
                [=](const std::vector<Values> &in) {
                    return tabulate(to, [&](const Shape &at) {
                        const Shape row(at.begin(), at.end() - 1);
                        return static_cast<double>(at.back()) == element(in[0], row) ? element(in[1], at) : 0;
                    });
                },
            .bound = kExact,
            .any_thread_count = true};
}

std::vector<Case> cases() {
    const Operand turned{.shape = {7, 12}, .layout = Layout::Transposed}, sliced{.shape = {4, 5, 9}, .layout = Layout::Sliced};
    const Operand image{.shape = {2, 5, 3, 4}, .layout = Layout::ChannelsLast};
    return {
        select("Rows", {.shape = {6, 9}}, 0, 8, MPT_I64),
        select("FewColumns", {.shape = {6, 3}}, 0, 8, MPT_I32),
        select("Columns", {.shape = {5, 7}}, 1, 4, MPT_U8),
        select("Vector", {.shape = {7}}, 0, 20, MPT_I64),
        select("Middle", {.shape = {2, 5, 9}}, -2, 6, MPT_I32),
        select("Transposed", turned, 0, 5, MPT_I32),
        select("TransposedColumns", turned, 1, 5, MPT_I32),
        select("Sliced", sliced, 1, 3, MPT_I64),
        select("Channels", image, 1, 4, MPT_I64),
        select("NoIndices", {.shape = {6, 9}}, 0, 0, MPT_I64),
        select("Many", {.shape = {5, 40}}, 0, 1000, MPT_I64),
        select("Large", {.shape = {300, 300}}, 0, 350, MPT_I32),
        gather("Rows", {.shape = {6, 9}}, 0, {4, 9}, MPT_I64),
        gather("Columns", {.shape = {5, 7}}, 1, {5, 10}, MPT_I32),
        gather("Smaller", {.shape = {5, 7, 4}}, 1, {3, 9, 2}, MPT_U8),
        gather("Vector", {.shape = {7}}, -1, {15}, MPT_I64),
        gather("Transposed", turned, 1, {7, 4}, MPT_I64, Layout::Transposed),
        gather("Sliced", sliced, 0, {6, 5, 9}, MPT_I32, Layout::Sliced),
        gather("Channels", image, 1, {2, 3, 3, 4}, MPT_I64),
        gather("NoIndices", {.shape = {6, 9}}, 1, {6, 0}, MPT_I64),
        gather("Large", {.shape = {130, 270}}, 0, {90, 270}, MPT_I64),
        scatter("Rows", {.shape = {4, 9}}, 0, {.shape = {7, 9}}, MPT_I64),
        scatter("Columns", {.shape = {5, 3}}, 1, {.shape = {5, 10}}, MPT_I32),
        scatter("Smaller", {.shape = {5, 7, 4}}, 1, {.shape = {3, 9, 2}}, MPT_U8),
        scatter("Vector", {.shape = {3}}, -1, {.shape = {700}}, MPT_I64),
        scatter("Transposed", turned, 1, {.shape = {7, 4}, .layout = Layout::Sliced}, MPT_I64, Layout::Transposed),
        scatter("Sliced", sliced, 0, {.shape = {6, 5, 9}, .layout = Layout::Strided}, MPT_I32, Layout::Sliced),
        scatter("Channels", image, 1, {.shape = {2, 3, 3, 4}, .layout = Layout::ChannelsLast}, MPT_I64),
        scatter("Nothing", {.shape = {6, 9}}, 1, {.shape = {6, 0}}, MPT_I64),
        scatter("Large", {.shape = {90, 570}}, 0, {.shape = {130, 570}}, MPT_I64),
        scatter("LargeColumns", {.shape = {200, 31}}, 1, {.shape = {200, 270}}, MPT_I64),
        one_hot("Vector", {5}, 4, MPT_I64),
        one_hot("Matrix", {3, 4}, 3, MPT_U8, Layout::Transposed),
        one_hot("Scalar", {}, 2, MPT_I32),
        one_hot("Empty", {0}, 3, MPT_I32),
        one_hot("Large", {700}, 101, MPT_I32),
    };
}

class Gather : public DeviceTest {
protected:
    // The gradient of sum(y * seed) in x.
    std::vector<double> gradient_in(mpt_tensor *x, mpt_tensor *y, const std::vector<double> &seed) {
        const Tensor start = make(ctx, dtype_of(y), Values{shape_of(y), seed});
        mpt_tensor *from = start;
        MUST(mpt_backward_from(&y, &from, 1, MPT_GRAD_WRITE));
        return read(gradient(x));
    }
};

}  // namespace

INSTANTIATE_OP_TESTS(Gather, cases());
INSTANTIATE_ON_EVERY_DEVICE(Gather);

TEST_P(Gather, IndicesOutsideGiveNanAndNoGradient) {
    for (mpt_dtype dtype : formats(GetParam()))
        for (std::int64_t width : {1, 2, 16}) {
            Values v{{3, width}, {}};
            for (std::int64_t i = 0; i < 3 * width; ++i) v.data.push_back(static_cast<double>(1 + i / width));
            const Tensor x = make(ctx, dtype, v), index = make(ctx, MPT_I64, {2, -1, 0, 3, 1e15});
            MUST(mpt_tensor_set_requires_grad(x, 1));
            Tensor y, column, wide;
            MUST(mpt_index_select(x, 0, index, y.out()));
            std::vector<double> got = read(y);
            for (std::int64_t k = 0; k < 5; ++k)
                for (std::int64_t j = 0; j < width; ++j) {
                    const double value = got[static_cast<std::size_t>(k * width + j)];
                    EXPECT_TRUE(k == 0 ? value == 3 : k == 2 ? value == 1 : std::isnan(value)) << k << " " << mpt_dtype_name(dtype);
                }
            std::vector<double> expected(static_cast<std::size_t>(3 * width), 0);
            std::fill_n(expected.begin(), width, 1);
            std::fill_n(expected.begin() + 2 * width, width, 1);
            EXPECT_EQ(gradient_in(x, y, std::vector<double>(static_cast<std::size_t>(5 * width), 1)), expected)
                << mpt_dtype_name(dtype);

            const std::int64_t shape[] = {5, 1}, spread[] = {5, width};
            MUST(mpt_reshape(index, 2, shape, column.out()));
            MUST(mpt_expand(column, 2, spread, wide.out()));
            MUST(mpt_gather(x, 0, wide, y.out()));
            got = read(y);
            EXPECT_TRUE(got[0] == 3 && std::isnan(got[static_cast<std::size_t>(width)]) &&
                        got[static_cast<std::size_t>(2 * width)] == 1);
            EXPECT_EQ(gradient_in(x, y, std::vector<double>(static_cast<std::size_t>(5 * width), 1)), expected)
                << mpt_dtype_name(dtype);

            const Tensor src = create(ctx, dtype, {5, width});
            MUST(mpt_tensor_fill(src, 8));
            MUST(mpt_tensor_set_requires_grad(src, 1));
            MUST(mpt_scatter_add(x, 0, wide, src, y.out()));
            got = read(y);
            EXPECT_TRUE(got[0] == 9 && got[static_cast<std::size_t>(width)] == 2 && got.back() == 11);
            std::vector<double> reached(static_cast<std::size_t>(5 * width), 0);
            std::fill_n(reached.begin(), width, 1);
            std::fill_n(reached.begin() + 2 * width, width, 1);
            EXPECT_EQ(gradient_in(src, y, std::vector<double>(static_cast<std::size_t>(3 * width), 1)), reached)
                << mpt_dtype_name(dtype);
        }
}

TEST_P(Gather, EveryDtype) {
    for (mpt_dtype dtype : {MPT_I8, MPT_I16, MPT_I32, MPT_I64, MPT_U8, MPT_BOOL}) {
        const Tensor x = make(ctx, dtype, Values{{2, 2}, {1, 0, 0, 1}}), rows = make(ctx, MPT_U8, {1, 0, 2});
        const Tensor places = make(ctx, MPT_I32, Values{{2, 3}, {0, 1, -1, 1, 1, 0}});
        Tensor y;
        MUST(mpt_index_select(x, 0, rows, y.out()));
        EXPECT_EQ(read(y), (std::vector<double>{0, 1, 1, 0, 0, 0})) << mpt_dtype_name(dtype);
        MUST(mpt_gather(x, 1, places, y.out()));
        EXPECT_EQ(read(y), (std::vector<double>{1, 0, 0, 1, 1, 0})) << mpt_dtype_name(dtype);
        MUST(mpt_one_hot(rows, 2, dtype, y.out()));
        EXPECT_EQ(read(y), (std::vector<double>{0, 1, 1, 0, 0, 0})) << mpt_dtype_name(dtype);
        EXPECT_EQ(dtype_of(y), dtype);
    }
}

// In a 16-bit sum one would be lost beyond 2048 (f16) or 256 (bf16).
TEST_P(Gather, AdditionsToOnePlaceAreInF32) {
    for (mpt_dtype dtype : {MPT_F16, MPT_BF16}) {
        const Tensor x = make(ctx, dtype, {0.0, 0.0}), index = create(ctx, MPT_I32, {8192}), src = create(ctx, dtype, {8192});
        MUST(mpt_tensor_fill(index, 1));
        MUST(mpt_tensor_fill(src, 1));
        Tensor y;
        MUST(mpt_scatter_add(x, 0, index, src, y.out()));
        EXPECT_EQ(read(y), (std::vector<double>{0, 8192})) << mpt_dtype_name(dtype);
    }
}

// Views with negative strides, sums in given memory and outputs that are places: the same when recorded.
TEST_P(Gather, ACapturedStepIsTheSame) {
    std::vector<std::vector<double>> results;
    for (bool captured : {false, true}) {
        const Tensor x = make(ctx, MPT_F32, Values{{3, 4}, {4, 1, 3, 2, 8, 7, 5, 6, 9, 12, 10, 11}});
        MUST(mpt_tensor_set_requires_grad(x, 1));
        const std::int32_t dim = 1;
        Tensor values, places, flipped, both, sums, loss;
        Program program;
        if (captured) MUST(mpt_capture_begin(ctx));
        MUST(mpt_topk(x, 3, 1, 1, values.out(), places.out()));
        MUST(mpt_flip(values, 1, &dim, flipped.out()));
        mpt_tensor *const list[] = {flipped, x};
        MUST(mpt_concat(list, 2, 1, both.out()));
        MUST(mpt_cumsum(both, 1, sums.out()));
        MUST(mpt_norm(sums, 0, nullptr, 0, loss.out()));
        MUST(mpt_backward(loss, nullptr, MPT_GRAD_WRITE));
        mpt_tensor *const outputs[] = {loss, places};
        if (captured) {
            MUST(mpt_capture_end(ctx, outputs, 2, program.out()));
            MUST(mpt_program_run(program));
            MUST(mpt_program_run(program));
        }
        results.push_back(read(loss));
        results.push_back(read(places));
        results.push_back(read(gradient(x)));
    }
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(results[i], results[i + 3]) << i;
    EXPECT_EQ(results[1], (std::vector<double>{0, 2, 3, 0, 1, 3, 1, 3, 2}));
}

}  // namespace test
