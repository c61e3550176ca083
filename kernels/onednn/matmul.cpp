// "matmul" on oneDNN's matmul primitive, the output cut into a grid of parts.
#include <algorithm>
#include <string>

#include "forms.h"
#include "primitives.h"
#include "schedule.h"

namespace mpt::onednn {
namespace {

using dnnl::memory;

// An operand as [batch, rows, columns]; a batch stride of 0 means the same matrix for all.
struct Matrices {
    memory::data_type type;
    std::int64_t batch, rows, columns;
    std::int64_t batch_stride, row_stride, column_stride;
};

// The batch dimensions of one operand as a single one, which they have to form.
Matrices matrices(const Device &device, const mpt_mod_operand &operand) {
    refuse_empty(operand);
    const int nd = operand.ndim;
    Matrices m{type_of(device, operand), 1, operand.shape[nd - 2], operand.shape[nd - 1], 0, operand.strides[nd - 2],
               operand.strides[nd - 1]};
    for (int i = nd - 3; i >= 0; --i) {
        if (operand.shape[i] == 1) continue;
        if (m.batch == 1)
            m.batch_stride = operand.strides[i];
        else if (operand.strides[i] != m.batch * m.batch_stride)
            refuse("the batch dimensions do not form one");
        m.batch *= operand.shape[i];
    }
    // A dimension of one element may have any stride; oneDNN wants one that makes a matrix.
    if (m.columns == 1) m.column_stride = 1;
    if (m.columns == 1 && m.rows == 1)
        m.row_stride = 1;
    else if (m.rows == 1)
        m.row_stride = m.column_stride == 1 ? m.columns : 1;
    const bool by_rows = m.column_stride == 1 && m.row_stride >= m.columns;
    const bool by_columns = m.row_stride == 1 && m.column_stride >= m.rows;
    if (!by_rows && !by_columns) refuse("a matrix is contiguous neither by rows nor by columns");
    return m;
}

// A part of an operand.
struct Block {
    memory::desc form;
    std::size_t offset;  // bytes

    Block(const Matrices &m, Range batch, Range rows, Range columns) {
        const std::int64_t r = rows.size(), c = columns.size();
        if (m.batch == 1)
            form = memory::desc({r, c}, m.type, memory::dims{m.row_stride, m.column_stride});
        else if (m.batch_stride == 0)
            form = memory::desc({1, r, c}, m.type, memory::dims{r * c, m.row_stride, m.column_stride});
        else
            form = memory::desc({batch.size(), r, c}, m.type, memory::dims{m.batch_stride, m.row_stride, m.column_stride});
        const std::int64_t elements = batch.begin * m.batch_stride + rows.begin * m.row_stride + columns.begin * m.column_stride;
        offset = static_cast<std::size_t>(elements) * bytes_of(m.type);
    }
};

struct Grid {
    int batches, rows, columns;
    int parts() const { return batches * rows * columns; }
    Range in_batch(const Matrices &c, int part) const { return piece(c.batch, 1, part / (rows * columns), batches); }
    Range in_rows(const Matrices &c, int part) const { return piece(c.rows, 16, part / columns % rows, rows); }
    Range in_columns(const Matrices &c, int part) const { return piece(c.columns, 16, part % columns, columns); }
};

// The cheapest grid in a model of the largest part's time in cycles: the products, the packing of b that oneDNN does
// in every part, and waking the threads. Parts of rows are dense, which oneDNN's best kernel asks for; parts of columns
// are not and get one that is a little slower. The constants are measured, on Zen 4.
Grid choose_grid(int threads, const Matrices &a, const Matrices &c) {
    const bool bf16 = a.type == memory::data_type::bf16;
    const double products = bf16 ? 32 : 16, packing = bf16 ? 0.2 : 0.35;
    const auto cycles = [&](const Grid &g) {
        const auto batch = static_cast<double>((c.batch + g.batches - 1) / g.batches);
        const auto m = static_cast<double>((c.rows + 16 * g.rows - 1) / (16 * g.rows) * 16);
        const auto n = static_cast<double>((c.columns + 16 * g.columns - 1) / (16 * g.columns) * 16);
        const auto k = static_cast<double>(a.columns);
        return batch * (m * n * k / products * (g.columns > 1 ? 1.05 : 1) + k * n * packing) + (g.parts() > 1 ? 15000 : 0);
    };
    Grid best{1, 1, 1};
    for (int p = 1; p <= threads && p <= c.batch; ++p)
        for (int q = 1; p * q <= threads && q <= (c.rows + 15) / 16; ++q)
            for (int r = 1; p * q * r <= threads && r <= (c.columns + 15) / 16; ++r)
                if (const Grid g{p, q, r}; cycles(g) < cycles(best)) best = g;
    return best;
}

}  // namespace

std::unique_ptr<Kernel> prepare_matmul(const Device &device, const mpt_mod_call &call) {
    const Matrices a = matrices(device, call.in[0]), b = matrices(device, call.in[1]), c = matrices(device, call.out[0]);
    const bool biased = call.n_in > 2 && present(call.in[2]);
    const Grid grid = choose_grid(device.threads.count, a, c);

    auto made = std::make_unique<Schedule>(device);
    Phase phase;
    for (int i = 0; i < grid.parts(); ++i) {
        const Range batch = grid.in_batch(c, i), rows = grid.in_rows(c, i), columns = grid.in_columns(c, i), all{0, a.columns};
        const Block in_a(a, batch, rows, all), in_b(b, batch, all, columns), in_c(c, batch, rows, columns);
        memory::desc bias;
        if (biased) bias = vector_form(device, call.in[2], {1, columns.size()});
        const auto desc =
            biased ? choose<dnnl::matmul>(device.engine, take_first, std::tuple<>(), in_a.form, in_b.form, bias, in_c.form)
                   : choose<dnnl::matmul>(device.engine, take_first, std::tuple<>(), in_a.form, in_b.form, in_c.form);
        made->name = std::string("onednn:") + desc.impl_info_str();
        Step step = made->step<dnnl::matmul>(desc);
        step.argument(DNNL_ARG_SRC, in_a.form, {Place::In, 0, in_a.offset});
        step.argument(DNNL_ARG_WEIGHTS, in_b.form, {Place::In, 1, in_b.offset});
        if (biased) step.argument(DNNL_ARG_BIAS, bias, {Place::In, 2, columns.begin * bytes_of(type_of(device, call.in[2]))});
        step.argument(DNNL_ARG_DST, in_c.form, {Place::Out, 0, in_c.offset});
        phase.emplace_back();
        phase.back().push_back(std::move(step));
    }
    made->add(std::move(phase));
    return made;
}

}  // namespace mpt::onednn
