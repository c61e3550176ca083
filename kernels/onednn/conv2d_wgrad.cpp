// "conv2d_wgrad": every part makes the gradients of its own images in f32; they are added in the order of the parts.
//
// oneDNN's own kernel runs along the rows of dy and is slow when these are short. Then x is unfolded (im2col) and dw is
// the product of dy's transpose with it.
#include <algorithm>
#include <string>

#include "convolution.h"
#include "unfold.h"

namespace mpt::onednn {
namespace {

constexpr auto f32 = memory::data_type::f32;
constexpr std::int64_t short_row = 4;
constexpr std::int64_t most_ones = 1 << 18;
constexpr std::int64_t most_partial = std::int64_t{256} << 20;
constexpr std::size_t most_unfolded = std::size_t{64} << 20;

// The partial gradients, part by part.
struct Partial {
    memory::desc dw, db;
    std::vector<Place> dw_places, db_places;
};

// The sum of the rows of a dense matrix, in f32: a product with a row of ones.
Step sum_of_rows(Schedule &schedule, memory::data_type type, std::int64_t rows, std::int64_t columns, Place matrix, Place sum) {
    const memory::desc ones({1, rows}, type, memory::format_tag::ab), in({rows, columns}, type, memory::format_tag::ab),
        out({1, columns}, f32, memory::format_tag::ab);
    Step step =
        schedule.step<dnnl::matmul>(choose<dnnl::matmul>(schedule.device().engine, take_first, std::tuple<>(), ones, in, out));
    step.argument(DNNL_ARG_SRC, ones, schedule.ones(type, rows));
    step.argument(DNNL_ARG_WEIGHTS, in, matrix);
    step.argument(DNNL_ARG_DST, out, sum);
    return step;
}

bool unfolds(const Convolution &conv) {
    const std::int64_t window = conv.weights_shape[2] * conv.weights_shape[3];
    if (!conv.in_place || conv.groups > 1 || window == 1 || conv.y.shape[3] > short_row) return false;
    const std::int64_t rows = conv.images(conv.parts - 1).size() * conv.y.pixels();
    return rows <= most_ones && static_cast<std::size_t>(rows * window * conv.x.shape[1]) * bytes_of(conv.x.type) <= most_unfolded;
}

Partial by_product(Schedule &schedule, const Convolution &conv, bool biased) {
    const std::int64_t outputs = conv.y.shape[1], channels = conv.x.shape[1], height = conv.weights_shape[2],
                       width = conv.weights_shape[3];
    const std::int64_t columns = height * width * channels;
    Partial partial{memory::desc(conv.weights_shape, f32, memory::dims{columns, 1, width * channels, channels}), {}, {}, {}};
    Phase phase;
    for (int i = 0; i < conv.parts; ++i) {
        const Range images = conv.images(i);
        const std::int64_t rows = images.size() * conv.y.pixels();
        const memory::desc dy({outputs, rows}, conv.y.type, memory::dims{1, outputs}),
            unfolded({rows, columns}, conv.x.type, memory::format_tag::ab), dw({outputs, columns}, f32, memory::format_tag::ab);
        const auto desc = choose<dnnl::matmul>(schedule.device().engine, take_first, std::tuple<>(), dy, unfolded, dw);
        schedule.name = std::string("onednn:unfold+") + desc.impl_info_str();
        const Place copy = schedule.reserve(unfolded), dy_place{Place::In, 1, conv.y.offset(images.begin)};
        Part part;
        part.push_back(unfold(conv, images, {Place::In, 0, conv.x.offset(images.begin)}, copy));
        Step step = schedule.step<dnnl::matmul>(desc);
        step.argument(DNNL_ARG_SRC, dy, dy_place);
        step.argument(DNNL_ARG_WEIGHTS, unfolded, copy);
        partial.dw_places.push_back(schedule.reserve(dw));
        step.argument(DNNL_ARG_DST, dw, partial.dw_places.back());
        part.push_back(std::move(step));
        if (biased) {
            partial.db_places.push_back(schedule.reserve(outputs * sizeof(float)));
            part.push_back(sum_of_rows(schedule, conv.y.type, rows, outputs, dy_place, partial.db_places.back()));
        }
        phase.push_back(std::move(part));
    }
    schedule.add(std::move(phase));
    return partial;
}

Partial by_convolution(Schedule &schedule, const Convolution &conv, bool biased) {
    const std::int64_t outputs = conv.y.shape[1];
    const memory::desc db({outputs}, f32, memory::dims{1});
    // oneDNN's own sum for db costs much in f32, up to the price of dw: a product with ones is faster there.
    const bool summed =
        biased && conv.in_place && conv.y.type == f32 && conv.images(conv.parts - 1).size() * conv.y.pixels() <= most_ones;
    const memory::desc *db_or_none = biased && !summed ? &db : nullptr;
    const auto first = conv.backward_weights(conv.images(0).size(), db_or_none, nullptr);
    schedule.name = std::string("onednn:") + first.impl_info_str();
    Partial partial{first.diff_weights_desc(), {}, {}, {}};
    Phase phase;
    for (int i = 0; i < conv.parts; ++i) {
        const Range images = conv.images(i);
        const Place x_place{Place::In, 0, conv.x.offset(images.begin)}, dy_place{Place::In, 1, conv.y.offset(images.begin)};
        const auto desc = conv.backward_weights(images.size(), db_or_none, &partial.dw);
        Step step = schedule.step<dnnl::convolution_backward_weights>(desc);
        Part part;
        schedule.bind_input(part, step, DNNL_ARG_SRC, conv.x.form(images.size()), x_place, desc.src_desc());
        schedule.bind_input(part, step, DNNL_ARG_DIFF_DST, conv.y.form(images.size()), dy_place, desc.diff_dst_desc());
        partial.dw_places.push_back(schedule.reserve(partial.dw));
        step.argument(DNNL_ARG_DIFF_WEIGHTS, partial.dw, partial.dw_places.back());
        if (biased) partial.db_places.push_back(schedule.reserve(db));
        if (db_or_none) step.argument(DNNL_ARG_DIFF_BIAS, db, partial.db_places.back());
        part.push_back(std::move(step));
        if (summed)
            part.push_back(
                sum_of_rows(schedule, f32, images.size() * conv.y.pixels(), outputs, dy_place, partial.db_places.back()));
        phase.push_back(std::move(part));
    }
    schedule.add(std::move(phase));
    return partial;
}

// Adds the values that the parts have at bytes [begin, end) of their places into the first part's.
Step add_up(Schedule &schedule, const std::vector<Place> &places, Range bytes) {
    const memory::desc flat({bytes.size() / std::int64_t{sizeof(float)}}, f32, memory::format_tag::a);
    const auto at = [&](const Place &place) { return Place{Place::Work, 0, place.offset + static_cast<std::size_t>(bytes.begin)}; };
    Step step = schedule.step<dnnl::sum>(sum_desc(schedule.device().engine, flat, static_cast<int>(places.size())));
    for (std::size_t i = 0; i < places.size(); ++i) step.argument(DNNL_ARG_MULTIPLE_SRC + static_cast<int>(i), flat, at(places[i]));
    step.argument(DNNL_ARG_DST, flat, at(places[0]));
    return step;
}

}  // namespace

std::unique_ptr<Kernel> prepare_conv2d_wgrad(const Device &device, const mpt_mod_call &call) {
    Convolution conv(device, call, call.in[0], call.out[0], call.in[1]);
    const bool biased = call.n_out > 1 && present(call.out[1]);
    // Every part has a dw of its own; with large filters and many threads they are kept from filling the memory.
    std::int64_t elements = 1;
    for (const std::int64_t extent : conv.weights_shape) elements *= extent;
    conv.parts = static_cast<int>(std::clamp<std::int64_t>(most_partial / (elements * std::int64_t{sizeof(float)}), 1, conv.parts));

    auto made = std::make_unique<Schedule>(device);
    const Partial partial = unfolds(conv) ? by_product(*made, conv, biased) : by_convolution(*made, conv, biased);

    const auto bytes = static_cast<std::int64_t>(partial.dw.get_size());
    constexpr std::int64_t worth = 256 * 1024;  // bytes that repay waking a thread
    const int adders = static_cast<int>(std::clamp<std::int64_t>(bytes / worth, 1, conv.parts));
    Phase adding(adders);
    if (conv.parts > 1) {
        for (int i = 0; i < adders; ++i) adding[i].push_back(add_up(*made, partial.dw_places, piece(bytes, 4096, i, adders)));
        if (biased) adding[0].push_back(add_up(*made, partial.db_places, {0, conv.y.shape[1] * std::int64_t{sizeof(float)}}));
    }
    if (biased) {
        const memory::desc db({conv.y.shape[1]}, f32, memory::dims{1});
        adding[0].push_back(
            made->reorder(db, partial.db_places[0], vector_form(device, call.out[1], {conv.y.shape[1]}), {Place::Out, 1, 0}));
    }
    Phase copying = conv.copy_weights(*made, partial.dw, partial.dw_places[0], conv.weights, {Place::Out, 0, 0});
    if (adders == 1 && copying.size() == 1) {
        adding[0].push_back(std::move(copying[0][0]));
        made->add(std::move(adding));
    } else {
        made->add(std::move(adding));
        made->add(std::move(copying));
    }
    return made;
}

}  // namespace mpt::onednn
