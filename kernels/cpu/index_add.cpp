// "index_add" of device/attrs/. The entries of the index are first brought into the order of the places they name; then
// threads share these places, and each sum is written once.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "device/attrs/index.h"
#include "isa.h"
#include "kernel.h"
#include "operand.h"
#include "rows.h"
#include "tiled_row.h"

namespace mpt::cpu {
namespace {

template <class C>
void add_row(C *sum, const C *x, std::int64_t n) {
    MPT_CPU_INDEPENDENT
    for (std::int64_t j = 0; j < n; j++) sum[j] += x[j];
}

template <class C>
class IndexAdd final : public Kernel {
public:
    IndexAdd(Pool &pool, const mpt_mod_call &call) : pool_(pool) {
        const mpt_mod_operand &index = call.in[0], &src = call.in[1], &y = call.out[0];
        const auto &attrs = attrs_of<mpt_attrs_index>(call);
        if (attrs.dim < 0 || attrs.dim >= y.ndim || index.ndim != 1 || src.shape[attrs.dim] != index.shape[0])
            throw Failure{MPT_ERROR_INTERNAL, "index_add: the operands do not fit"};
        skip_ = attrs.skip;
        load_ = loader<C>(src.dtype);
        load_index_ = loader<std::int64_t>(index.dtype);
        store_ = storer<C>(y.dtype);
        if (!load_) unsupported_dtype("index_add", src.dtype);
        if (!load_index_) unsupported_dtype("index_add", index.dtype);
        if (!is_float(y.dtype)) unsupported_dtype("index_add", y.dtype);
        src_bytes_ = static_cast<std::int64_t>(bytes_of(src.dtype));
        index_bytes_ = static_cast<std::int64_t>(bytes_of(index.dtype));
        bytes_ = static_cast<std::int64_t>(bytes_of(y.dtype));

        const mpt_mod_operand to = without_dim(y, attrs.dim), from = without_dim(src, attrs.dim);
        loop_ = Loop("index_add", {&to, &from});
        count_ = index.shape[0];
        extent_ = y.shape[attrs.dim];
        step_ = y.strides[attrs.dim];
        src_step_ = src.strides[attrs.dim];
        index_step_ = index.strides[0];
        direct_ = y.dtype == dtype_of<C>() && loop_.inner_stride(0) == 1;
        typed_ = src.dtype == dtype_of<C>() && loop_.inner_stride(1) == 1;
        width_ = std::clamp<std::int64_t>(loop_.inner(), 1, kWidth);
        across_ = (loop_.inner() + width_ - 1) / width_;
        parts_ = (extent_ + count_ + kPart - 1) / kPart;
        workspace_bytes = static_cast<std::size_t>(extent_ + 2 + count_) * sizeof(std::int64_t);
    }

    void launch(const void *const *in, void *const *out, void *workspace) override {
        auto *starts = static_cast<std::int64_t *>(workspace);
        std::int64_t *order = starts + extent_ + 2;
        sort(static_cast<const std::byte *>(in[0]), starts, order);
        const auto *src = static_cast<const std::byte *>(in[1]);
        auto *y = static_cast<std::byte *>(out[0]);
        const std::int64_t rows = loop_.count / loop_.inner(), size = kPart * width_;
        pool_.for_range(rows * parts_ * across_, (kGrain + size - 1) / size, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t t = begin; t < end; t++) {
                const std::int64_t column = t % across_ * width_, part = t / across_ % parts_;
                std::int64_t offset[Loop::kOperands];
                loop_.locate(t / across_ / parts_, offset);
                const std::int64_t last = place_of(starts, (part + 1) * kPart);
                for (std::int64_t i = place_of(starts, part * kPart); i < last; i++)
                    sum(src + (offset[1] + column * loop_.inner_stride(1)) * src_bytes_, order + starts[i],
                        starts[i + 1] - starts[i], y + (offset[0] + column * loop_.inner_stride(0) + i * step_) * bytes_,
                        std::min(width_, loop_.inner() - column));
            }
        });
    }

    const char *name() const override { return "cpu:index_add"; }

private:
    static constexpr std::int64_t kWidth = 1024, kPart = 256;
    static constexpr std::int64_t kBlock = 64;  // rows in one f32 sum; more are sums of sums

    // Place i's entries, in their order, are order[starts[i]] up to order[starts[i + 1]].
    void sort(const std::byte *index, std::int64_t *starts, std::int64_t *order) const {
        std::fill_n(starts, extent_ + 2, 0);
        each_entry(index, [&](std::int64_t, std::int64_t i) { starts[i + 2]++; });
        for (std::int64_t i = 2; i <= extent_; i++) starts[i] += starts[i - 1];
        each_entry(index, [&](std::int64_t k, std::int64_t i) { order[starts[i + 1]++] = k; });
    }

    // f(k, i) for the entries that name a place.
    template <class F>
    void each_entry(const std::byte *index, F &&f) const {
        constexpr std::int64_t kPiece = 512;
        std::int64_t at[kPiece];
        for (std::int64_t first = 0; first < count_; first += kPiece) {
            const std::int64_t n = std::min(kPiece, count_ - first);
            load_index_(index + first * index_step_ * index_bytes_, 1, n, n, index_step_, at);
            for (std::int64_t j = 0; j < n; j++)
                if (at[j] >= 0 && at[j] < extent_ && at[j] != skip_) f(first + j, at[j]);
        }
    }

    // The first place with at least so many places and entries in front of it: parts are of even work.
    std::int64_t place_of(const std::int64_t *starts, std::int64_t work) const {
        std::int64_t low = 0, high = extent_;
        while (low < high) {
            const std::int64_t middle = (low + high) / 2;
            if (middle + starts[middle] < work)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    void sum(const std::byte *src, const std::int64_t *entries, std::int64_t n_entries, std::byte *to, std::int64_t n) const {
        alignas(64) C buffer[kWidth], block[kWidth], values[kWidth];
        C *total = direct_ ? reinterpret_cast<C *>(to) : buffer;
        std::fill_n(total, n, C{0});
        for (std::int64_t first = 0; first < n_entries; first += kBlock) {
            const std::int64_t last = std::min(first + kBlock, n_entries);
            C *sum = n_entries > kBlock ? block : total;
            if (sum == block) std::fill_n(block, n, C{0});
            for (std::int64_t e = first; e < last; e++) {
                const std::byte *row = src + entries[e] * src_step_ * src_bytes_;
                if (!typed_) load_(row, 1, n, n, loop_.inner_stride(1), values);
                add_(sum, typed_ ? reinterpret_cast<const C *>(row) : values, n);
            }
            if (sum == block) add_(total, block, n);
        }
        if (!direct_) store_(buffer, to, 1, n, n, loop_.inner_stride(0));
    }

    Pool &pool_;
    Load<C> load_;
    Load<std::int64_t> load_index_;
    Store<C> store_;
    void (*add_)(C *, const C *, std::int64_t) = Versions<&add_row<C>>::best();
    std::int64_t src_bytes_, index_bytes_, bytes_;
    Loop loop_;
    bool direct_, typed_;
    std::int64_t skip_, count_, extent_, step_, src_step_, index_step_, width_, across_, parts_;
};

}  // namespace

static std::unique_ptr<Kernel> prepare_index_add(Pool &pool, const mpt_mod_call &call) {
    if (call.in[1].dtype == MPT_F64) return std::make_unique<IndexAdd<double>>(pool, call);
    return std::make_unique<IndexAdd<float>>(pool, call);
}

static const RegisteredKernel registered_index_add("index_add", prepare_index_add);

}  // namespace mpt::cpu
