// Reductions over any dimensions: the launches of the kernels in fold_kernels.cuh.
#pragma once

#include <algorithm>
#include <bit>

#include "fold_kernels.cuh"
#include "fold_plan.h"

namespace mpt::cuda {

inline constexpr std::int64_t kFoldBlocks = 528;  // four on each multiprocessor of a large GPU
inline constexpr std::int64_t kFoldChain = 1024;  // additions that one thread makes to one sum, at most
inline constexpr std::int64_t kFewRows = 256;     // of which columns are folded in one launch: a second one takes longer

inline std::int64_t fold_parts(std::int64_t count, std::int64_t part) {
    return (count + part - 1) / part;
}
inline unsigned fold_log(std::int64_t count) {  // of the first power of 2 from count on
    return count <= 1 ? 0 : static_cast<unsigned>(std::bit_width(static_cast<std::uint64_t>(count - 1)));
}

// The launches of one reduction; values: elements of a pack.
class Fold {
public:
    Fold(const char *name, const mpt_mod_operand &x, const mpt_mod_operand &y, int values) : name_(name) {
        const FoldPlan plan(name, x, y);
        along_ = plan.along;
        outputs_ = plan.outputs;
        kept_ = Index<2>(FoldPlan::loop(plan.kept, plan.kept.size()));
        packed_ = true;
        for (const auto *list : {&plan.kept, &plan.folded})
            for (const FoldPlan::Dim &d : *list) {
                const bool innermost = list == (along_ ? &plan.folded : &plan.kept) && &d == &list->back();
                packed_ &= innermost ? d.in == 1 : d.in % values == 0;
            }
        along_ ? set_rows(plan, values) : set_columns(plan, values);
    }

    std::int64_t partials() const { return segments_ > 1 ? segments_ * outputs_ : 0; }

    // workspace: partials() results of Op.
    template <class Op, class T, class Outcome>
    void run(cudaStream_t stream, const Outcome &outcome, const void *in, const void *centres, void *out, void *workspace) const {
        const auto *x = static_cast<const typename T::Stored *>(in);
        const bool packed = aligned(in, 16);
        if (!along_) return run_columns<Op, T>(stream, outcome, FoldInput<T>{x}, packed, centres, out, workspace);
        const auto *c = static_cast<const float *>(centres);
        auto *partial = static_cast<typename Op::Acc *>(segments_ > 1 ? workspace : nullptr);
        fold_rows<Op, T><<<grid(), threads_, 0, stream>>>(rows_, outcome, packed_ && packed ? whole_ : 0, x, c, out, partial);
        check_launch(name_);
        combine<Op>(stream, outcome, c, out, partial);
    }

    // The same where the fastest dimension is kept, through something that reads; packed: 16 bytes at a time.
    bool has_columns() const { return !along_; }
    template <class Op, class T, class Outcome, class Input>
    void run_columns(cudaStream_t stream, const Outcome &outcome, const Input &input, bool packed, const void *centres, void *out,
                     void *workspace) const {
        const auto *c = static_cast<const float *>(centres);
        auto *partial = static_cast<typename Op::Acc *>(segments_ > 1 ? workspace : nullptr);
        fold_columns<Op, T><<<grid(), threads_, 0, stream>>>(columns_, outcome, packed_ && packed, input, c, out, partial);
        check_launch(name_);
        combine<Op>(stream, outcome, c, out, partial);
    }

private:
    dim3 grid() const { return dim3(static_cast<unsigned>(blocks_), static_cast<unsigned>(segments_)); }

    template <class Op, class Outcome>
    void combine(cudaStream_t stream, const Outcome &outcome, const float *centres, void *out,
                 const typename Op::Acc *partial) const {
        if (!partial) return;
        // Neighbouring outputs side by side, fewer where many segments ask for many rows of threads.
        unsigned log_x = std::min(fold_log(outputs_), 5u);
        while (log_x > 3 && segments_ > (256 >> log_x) * 8) --log_x;
        const auto blocks = static_cast<unsigned>(fold_parts(outputs_, std::int64_t{1} << log_x));
        fold_segments<Op><<<blocks, 256, 0, stream>>>(kept_, outcome, log_x, outputs_, segments_, partial, centres, out);
        check_launch(name_);
    }

    void set_rows(const FoldPlan &plan, int values) {
        const FoldPlan::Dim &run = plan.folded.back();
        const std::int64_t run_packs = fold_parts(run.extent, values), runs = plan.inputs > 0 ? plan.inputs / run.extent : 0;
        FoldRows &r = rows_;
        r.kept = kept_;
        r.runs = Index<1>(FoldPlan::loop(plan.folded, plan.folded.size() - 1));
        r.run_packs = Divider(static_cast<std::uint32_t>(run_packs));
        r.outputs = outputs_;
        r.packs = run_packs * runs;
        r.inner = run.extent;
        r.step = run.in;
        r.one_run = plan.folded.size() == 1;
        r.small_outputs = small(outputs_);
        r.small_packs = small(r.packs);
        // Packs behind the last whole one of a long row are read element by element; so are all where every run has such a rest.
        whole_ = run.extent % values == 0 ? r.packs : r.one_run ? run.extent / values : 0;

        r.group = 1;
        while (r.group < 256 && r.packs > r.group * 8) r.group *= 2;
        while (r.group < 256 && r.packs > r.group && outputs_ * r.group < 65536) r.group *= 2;
        if (r.group == 256) cut(r.packs, outputs_, 256, r.segment);
        if (segments_ == 1) r.segment = r.packs;
        threads_ = std::max(r.group, r.group > 32 ? 64u : 256u);
        blocks_ = fold_parts(outputs_, threads_ / r.group);
    }

    void set_columns(const FoldPlan &plan, int values) {
        const FoldPlan::Dim &inner = plan.kept.back();
        const std::int64_t across = fold_parts(inner.extent, values);
        FoldColumns &c = columns_;
        c.kept = Index<2>(FoldPlan::loop(plan.kept, plan.kept.size() - 1));
        c.rows = Index<1>(FoldPlan::loop(plan.folded, plan.folded.size()));
        c.outputs = outputs_;
        c.count = plan.inputs;
        c.inner = inner.extent;
        c.step = inner.in;
        c.out_step = inner.out;
        c.one_step = plan.folded.size() == 1;
        c.small_rows = small(plan.inputs);
        const unsigned log_rows = fold_log(fold_parts(plan.inputs, packed_ ? 4 : 1));  // of packs four are fetched at once
        c.log_x = std::min(fold_log(across), 5u);
        const bool few = plan.inputs <= kFewRows && inner.extent > 0 && outputs_ / inner.extent * (across >> c.log_x) < kFoldBlocks;
        // Then blocks are narrower, but still have whole lines of the cache.
        if (few) c.log_x = std::min(c.log_x, std::max(3u, 8 - std::min(log_rows, 8u)));
        c.log_y = std::min(log_rows, 8 - c.log_x);
        const std::int64_t tiles = fold_parts(across, std::int64_t{1} << c.log_x);
        c.tiles = Divider(static_cast<std::uint32_t>(tiles));
        c.units = inner.extent > 0 ? outputs_ / inner.extent * tiles : 0;
        c.small_units = small(c.units);
        threads_ = 256;
        blocks_ = fold_parts(c.units, 256 >> (c.log_x + c.log_y));
        if (!few) cut(c.count, blocks_, std::int64_t{1} << c.log_y, c.segment);
        if (segments_ == 1) c.segment = c.count;
    }

    // Segments, so that there are enough blocks and no chain is too long; side: items that are taken at once.
    void cut(std::int64_t count, std::int64_t blocks, std::int64_t side, std::int64_t &segment) {
        std::int64_t wanted = std::min((kFoldBlocks + blocks / 2) / std::max<std::int64_t>(blocks, 1), count / (side * 4));
        // A GPU that does not hold all blocks at once is half empty behind the first: so they are many, if they are long.
        wanted =
            std::max(wanted, std::min((4 * kFoldBlocks + blocks / 2) / std::max<std::int64_t>(blocks, 1), count / (side * 16)));
        wanted = std::max({wanted, std::min<std::int64_t>(fold_parts(count, side * kFoldChain), 65535), std::int64_t{1}});
        segment = std::max<std::int64_t>(fold_parts(count, wanted), 1);
        segments_ = std::max<std::int64_t>(fold_parts(count, segment), 1);
    }

    const char *name_;
    FoldRows rows_{};
    FoldColumns columns_{};
    Index<2> kept_;
    std::int64_t outputs_ = 0, blocks_ = 0, segments_ = 1, whole_ = 0;
    unsigned threads_ = 256;
    bool along_ = true, packed_ = true;
};

}  // namespace mpt::cuda
