// "ctc" and "ctc_grad" of device/attrs/ctc.h. A block takes an item and has a thread for each place of its labels with blanks
// around them. Rows of log-probabilities are kept near 0: what is taken off one is the largest of the row before, so that a time
// needs one barrier; the gradient needs a second.
#include "any_float.cuh"
#include "device/attrs/ctc.h"
#include "rows.cuh"

namespace mpt::cuda {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();
constexpr int kBefore = 2;  // places beside a row that read as kNever
constexpr int kWarps = 32;
constexpr std::size_t kShared = 40960;  // bytes of places in shared memory; more lie in the workspace

struct Items {
    std::int64_t times, items, classes, most_labels, places;
    std::int64_t x_stride[3];
    std::int64_t label_stride[2], times_stride, labels_stride;
    std::int32_t label_dtype, times_dtype, labels_dtype;
    std::int64_t blank, reduction;
    bool zero_infinity;
    const void *labels, *input_lengths, *target_lengths;

    explicit Items(const mpt_mod_call &call) {
        const auto &attrs = attrs_of<mpt_attrs_ctc>(call);
        const mpt_mod_operand &x = call.in[0], &label = call.in[1];
        if (x.ndim != 3 || label.ndim != 2) throw Failure{MPT_ERROR_INTERNAL, "ctc: operands of another rank"};
        for (int k = 1; k < 4; ++k)
            if (call.in[k].dtype != MPT_I32 && call.in[k].dtype != MPT_I64) unsupported_dtype(call.kernel, call.in[k].dtype);
        times = x.shape[0];
        items = x.shape[1];
        classes = x.shape[2];
        most_labels = label.shape[1];
        places = 2 * most_labels + 1;
        std::copy_n(x.strides, 3, x_stride);
        std::copy_n(label.strides, 2, label_stride);
        times_stride = call.in[2].strides[0];
        labels_stride = call.in[3].strides[0];
        label_dtype = label.dtype;
        times_dtype = call.in[2].dtype;
        labels_dtype = call.in[3].dtype;
        blank = attrs.blank;
        reduction = attrs.reduction;
        zero_infinity = attrs.zero_infinity != 0;
        if (classes > std::numeric_limits<std::int32_t>::max() || places > std::numeric_limits<std::int32_t>::max())
            throw Failure{MPT_ERROR_UNSUPPORTED, "ctc: more classes or labels than a GPU counts"};
    }
    Items at(const void *const *in) const {
        Items placed = *this;
        placed.labels = in[1];
        placed.input_lengths = in[2];
        placed.target_lengths = in[3];
        return placed;
    }
    static __device__ __forceinline__ std::int64_t integer(const void *base, std::int32_t dtype, std::int64_t at) {
        return dtype == MPT_I64 ? static_cast<const std::int64_t *>(base)[at] : static_cast<const std::int32_t *>(base)[at];
    }
    __device__ __forceinline__ std::int64_t input_length(std::int64_t i) const {
        return integer(input_lengths, times_dtype, i * times_stride);
    }
    __device__ __forceinline__ std::int64_t target_length(std::int64_t i) const {
        return integer(target_lengths, labels_dtype, i * labels_stride);
    }

    // The labels with blanks around them, by the whole block; the number of places, or 0 for a length or label that cannot be.
    __device__ __forceinline__ int places_of(std::int64_t i, std::int32_t *label) const {
        const std::int64_t length = target_length(i), time = input_length(i);
        if (time < 0 || time > times || length < 0 || length > most_labels) return 0;
        const int n = static_cast<int>(2 * length + 1);
        bool bad = false;
        for (int s = static_cast<int>(threadIdx.x); s < n; s += static_cast<int>(blockDim.x)) {
            const std::int64_t c = s % 2 == 0 ? blank : integer(labels, label_dtype, i * label_stride[0] + s / 2 * label_stride[1]);
            bad |= c < 0 || c >= classes || (s % 2 == 1 && c == blank);
            label[s] = static_cast<std::int32_t>(c);
        }
        return __syncthreads_or(bad) ? 0 : n;
    }
};

// log(exp(a) + exp(b) + exp(c)).
__device__ __forceinline__ float log_sum(float a, float b, float c) {
    const float most = Max()(Max()(a, b), c), shift = most == kNever ? 0 : most;
    return shift + logf(expf(a - shift) + expf(b - shift) + expf(c - shift));
}

// The largest of all threads' numbers, which each warp has left behind in front of a barrier.
__device__ __forceinline__ float largest_of(const float *of_warps) {
    float most = kNever;
    for (unsigned w = 0; w < blockDim.x / 32; ++w) most = Max()(most, of_warps[w]);
    return most;
}

template <class T>
__global__ void __launch_bounds__(1024)
    ctc(Items items, const typename T::Stored *__restrict__ x, float *loss, std::int64_t loss_stride, float *of_items,
        std::int64_t item_stride, float *reached, char *workspace, std::size_t bytes) {
    extern __shared__ float4 memory[];
    __shared__ float of_warps[2][kWarps];
    const std::int64_t i = blockIdx.x;
    char *state = workspace ? workspace + static_cast<std::size_t>(i) * bytes : reinterpret_cast<char *>(memory);
    auto *label = reinterpret_cast<std::int32_t *>(state);
    float *row = reinterpret_cast<float *>(label + items.places) + kBefore, *next = row + items.places + kBefore;
    const int thread = static_cast<int>(threadIdx.x), step = static_cast<int>(blockDim.x);
    const int n = items.places_of(i, label);
    const auto times = static_cast<std::int64_t>(n == 0 ? 0 : items.input_length(i));
    x += i * items.x_stride[1];
    reached += i * items.times * items.places;
    if (thread < kBefore) row[thread - kBefore] = next[thread - kBefore] = kNever;
    __syncthreads();
    const auto emission = [&](std::int64_t t, int s) { return widen<T>(x[t * items.x_stride[0] + label[s] * items.x_stride[2]]); };

    double offset = 0;                                                // what was taken off the rows
    float ahead = times > 0 && thread < n ? emission(0, thread) : 0;  // of a thread's first place, a time before it is needed
    for (std::int64_t t = 0; t < times; ++t) {
        const float here = ahead;
        if (t + 1 < times && thread < n) ahead = emission(t + 1, thread);
        float off = t == 0 ? 0 : largest_of(of_warps[(t - 1) % 2]);
        if (off == kNever) off = 0;
        offset += static_cast<double>(off);
        float most = kNever;
        for (int s = thread; s < n; s += step) {
            float reach = s < 2 ? 0 : kNever;
            if (t > 0) {
                const bool skips = s % 2 == 1 && s > 1 && label[s] != label[s - 2];
                reach = log_sum(row[s] - off, row[s - 1] - off, skips ? row[s - 2] - off : kNever);
            }
            reach += s == thread ? here : emission(t, s);
            next[s] = reach;
            reached[t * items.places + s] = reach;
            most = Max()(most, reach);
        }
        most = warp_reduce(most, Max());
        if (thread % 32 == 0) of_warps[t % 2][thread / 32] = most;
        __syncthreads();
        float *free = row;
        row = next;
        next = free;
    }
    if (thread != 0) return;
    float value = std::numeric_limits<float>::quiet_NaN();
    if (n > 0 && times == 0)
        value = n == 1 ? 0 : -kNever;
    else if (n > 0)
        value = static_cast<float>(-(offset + static_cast<double>(log_sum(row[n - 1], n > 1 ? row[n - 2] : kNever, kNever))));
    of_items[i * item_stride] = value;
    if (items.reduction == MPT_REDUCTION_NONE) loss[i * loss_stride] = items.zero_infinity && value == -kNever ? 0 : value;
}

__global__ void add_items(Items items, const float *of_items, std::int64_t item_stride, float *loss) {
    __shared__ double scratch[32];
    double sum = 0;
    for (std::int64_t i = threadIdx.x; i < items.items; i += blockDim.x) {
        const float value = of_items[i * item_stride];
        const std::int64_t labels = items.target_length(i);
        const double by = items.reduction == MPT_REDUCTION_MEAN && labels > 1 ? static_cast<double>(labels) : 1;
        sum += items.zero_infinity && value == -kNever ? 0 : static_cast<double>(value) / by;
    }
    sum = block_reduce(sum, Add(), 0.0, scratch);
    if (threadIdx.x == 0)
        *loss = static_cast<float>(items.reduction == MPT_REDUCTION_SUM ? sum : sum / static_cast<double>(items.items));
}

struct Gradient {
    std::int64_t out_stride[3], loss_stride, item_stride;
};

// The gradient was filled with zeros; only what is none is written.
template <class T>
__global__ void __launch_bounds__(1024)
    ctc_grad(Items items, Gradient g, const typename T::Stored *__restrict__ x, const float *of_items, const float *reached,
             const float *gradient, typename T::Stored *out, char *workspace, std::size_t bytes) {
    extern __shared__ float4 memory[];
    __shared__ float of_warps[2][2][kWarps], sums[2][kWarps];
    const std::int64_t i = blockIdx.x;
    char *state = workspace ? workspace + static_cast<std::size_t>(i) * bytes : reinterpret_cast<char *>(memory);
    auto *label = reinterpret_cast<std::int32_t *>(state), *again = label + items.places;  // the next place with a label, or 0
    // What places contribute, for every other time: those of one time are still read while the next's are written.
    float *shares = reinterpret_cast<float *>(again + items.places), *row = shares + 2 * items.places,
          *next = row + items.places + kBefore;
    const int thread = static_cast<int>(threadIdx.x), step = static_cast<int>(blockDim.x);
    const int n = items.places_of(i, label);
    const float loss = of_items[i * g.item_stride];
    const bool infinite = loss == -kNever;
    if (n == 0 || (infinite && items.zero_infinity)) return;
    const std::int64_t times = items.input_length(i);
    out += i * g.out_stride[1];
    if (infinite) {
        for (std::int64_t t = 0; t < times; ++t)
            for (std::int64_t c = thread; c < items.classes; c += step)
                out[t * g.out_stride[0] + c * g.out_stride[2]] = narrow<T>(std::numeric_limits<float>::quiet_NaN());
        return;
    }
    float by = gradient[items.reduction == MPT_REDUCTION_NONE ? i * g.loss_stride : 0];
    if (items.reduction == MPT_REDUCTION_BATCH_MEAN || items.reduction == MPT_REDUCTION_MEAN) {
        const std::int64_t labels = items.reduction == MPT_REDUCTION_MEAN ? items.target_length(i) : 1;
        by /= static_cast<float>(items.items) * static_cast<float>(labels > 1 ? labels : 1);
    }
    x += i * items.x_stride[1];
    reached += i * items.times * items.places;

    // Places of one label are a chain, whose first one gathers what all of them contribute.
    for (int s = thread; s < n; s += step) {
        int later = 0;
        for (int k = s + 2; s % 2 == 1 && k < n && later == 0; k += 2)
            if (label[k] == label[s]) later = k;
        again[s] = later;
        shares[s] = 0;
    }
    __syncthreads();
    for (int s = thread; s < n; s += step)
        if (again[s] != 0) shares[again[s]] = 1;  // not the first
    if (thread < kBefore) row[n + thread] = next[n + thread] = kNever;
    __syncthreads();
    // The last bit of a chain's entry says that the place is the first.
    for (int s = thread; s < n; s += step) again[s] = 2 * again[s] + (s % 2 == 1 && shares[s] == 0 ? 1 : 0);
    __syncthreads();

    const auto emission = [&](std::int64_t t, int s) { return widen<T>(x[t * items.x_stride[0] + label[s] * items.x_stride[2]]); };
    float ahead = times > 0 && thread < n ? emission(times - 1, thread) : 0;
    float alpha = times > 0 && thread < n ? reached[(times - 1) * items.places + thread] : 0;
    for (std::int64_t t = times - 1; t >= 0; --t) {
        const int turn = static_cast<int>(t % 2);
        const float here = ahead, reach = alpha;
        float *share = shares + turn * items.places;
        if (t > 0 && thread < n) {
            ahead = emission(t - 1, thread);
            alpha = reached[(t - 1) * items.places + thread];
        }
        float off = t == times - 1 ? 0 : largest_of(of_warps[1 - turn][0]);
        if (off == kNever) off = 0;
        // next: what follows from each place on, its own emission included.
        float most = kNever, most_joined = kNever;
        for (int s = thread; s < n; s += step) {
            float follows = s >= n - 2 ? 0 : kNever;
            if (t < times - 1) {
                const bool skips = s % 2 == 1 && s + 2 < n && label[s] != label[s + 2];
                follows = log_sum(row[s] - off, row[s + 1] - off, skips ? row[s + 2] - off : kNever);
            }
            const float joined = follows + (s == thread ? reach : reached[t * items.places + s]);
            follows += s == thread ? here : emission(t, s);
            next[s] = follows;
            share[s] = joined;
            most = Max()(most, follows);
            most_joined = Max()(most_joined, joined);
        }
        most = warp_reduce(most, Max());
        most_joined = warp_reduce(most_joined, Max());
        if (thread % 32 == 0) {
            of_warps[turn][0][thread / 32] = most;
            of_warps[turn][1][thread / 32] = most_joined;
        }
        __syncthreads();
        most_joined = largest_of(of_warps[turn][1]);
        float total = 0, blanks = 0;
        for (int s = thread; s < n; s += step) {
            const float e = expf(share[s] - most_joined);
            share[s] = e;
            total += e;
            if (s % 2 == 0) blanks += e;
        }
        total = warp_reduce(total, Add());
        blanks = warp_reduce(blanks, Add());
        if (thread % 32 == 0) {
            sums[0][thread / 32] = total;
            sums[1][thread / 32] = blanks;
        }
        __syncthreads();
        total = 0;
        for (int w = 0; w < step / 32; ++w) total += sums[0][w];
        const float each = -by / total;
        typename T::Stored *to = out + t * g.out_stride[0];
        if (thread == 0) {
            blanks = 0;
            for (int w = 0; w < step / 32; ++w) blanks += sums[1][w];
            to[items.blank * g.out_stride[2]] = narrow<T>(each * blanks);
        }
        for (int s = thread; s < n; s += step) {
            if (again[s] % 2 == 0) continue;
            float all = share[s];
            for (int k = again[s] / 2; k != 0; k = again[k] / 2) all += share[k];
            to[label[s] * g.out_stride[2]] = narrow<T>(each * all);
        }
        float *free = row;
        row = next;
        next = free;
    }
}

template <class T>
__global__ void fill_zero(Index<1> index, std::int64_t count, typename T::Stored *out) {
    for (std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count;
         i += std::int64_t{gridDim.x} * blockDim.x) {
        std::int64_t offset[1];
        index.locate(static_cast<std::uint64_t>(i), offset);
        out[offset[0]] = narrow<T>(0.0f);
    }
}

// Threads of a block, and the bytes that it has for each item.
unsigned threads_of(const Items &items) {
    return static_cast<unsigned>(std::clamp<std::int64_t>((items.places + 31) / 32 * 32, 32, 1024));
}
std::size_t bytes_of_item(std::size_t words) {
    return (words * 4 + MPT_MOD_ALIGNMENT - 1) / MPT_MOD_ALIGNMENT * MPT_MOD_ALIGNMENT;
}

template <class T>
std::unique_ptr<Kernel> make(const mpt_mod_call &call) {
    const Items form(call);
    for (int k = 0; k < 3; ++k)
        if (call.out[k].dtype != MPT_F32) unsupported_dtype(call.kernel, call.out[k].dtype);
    const std::size_t bytes = bytes_of_item(static_cast<std::size_t>(3 * form.places + 2 * kBefore));
    const bool in_shared = bytes <= kShared;
    const std::int64_t loss_stride = call.out[0].ndim == 1 ? call.out[0].strides[0] : 0, item_stride = call.out[1].strides[0];
    const auto launch = [=](const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
        const Items items = form.at(in);
        auto *loss = static_cast<float *>(out[0]), *of_items = static_cast<float *>(out[1]);
        if (items.items > 0) {
            ctc<T><<<static_cast<unsigned>(items.items), threads_of(items), in_shared ? bytes : 0, stream>>>(
                items, static_cast<const typename T::Stored *>(in[0]), loss, loss_stride, of_items, item_stride,
                static_cast<float *>(out[2]), in_shared ? nullptr : static_cast<char *>(workspace), bytes);
            check_launch("ctc");
        }
        if (items.reduction == MPT_REDUCTION_NONE) return;
        add_items<<<1, kThreads, 0, stream>>>(items, of_items, item_stride, loss);
        check_launch("ctc");
    };
    return kernel_of("cuda:ctc", launch, in_shared ? 0 : static_cast<std::size_t>(form.items) * bytes);
}

template <class T>
std::unique_ptr<Kernel> make_grad(Device &device, const mpt_mod_call &call) {
    const Items form(call);
    const mpt_mod_operand &out_form = call.out[0];
    for (int k = 4; k < 7; ++k)
        if (call.in[k].dtype != MPT_F32) unsupported_dtype(call.kernel, call.in[k].dtype);
    Gradient g;
    std::copy_n(out_form.strides, 3, g.out_stride);
    g.loss_stride = call.in[6].ndim == 1 ? call.in[6].strides[0] : 0;
    g.item_stride = call.in[4].strides[0];
    const std::size_t bytes = bytes_of_item(static_cast<std::size_t>(6 * form.places + 2 * kBefore));
    const bool in_shared = bytes <= kShared, dense = is_dense(out_form);
    const Loop loop(call.kernel, {&out_form});
    const Index<1> index(loop);
    const std::int64_t count = loop.count;
    const auto launch = [=, &device](const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
        const Items items = form.at(in);
        auto *dx = static_cast<typename T::Stored *>(out[0]);
        if (dense) {
            check(cudaMemsetAsync(dx, 0, static_cast<std::size_t>(count) * sizeof *dx, stream), "ctc_grad");
        } else {
            fill_zero<T><<<blocks_for(device, count), kThreads, 0, stream>>>(index, count, dx);
            check_launch("ctc_grad");
        }
        ctc_grad<T><<<static_cast<unsigned>(items.items), threads_of(items), in_shared ? bytes : 0, stream>>>(
            items, g, static_cast<const typename T::Stored *>(in[0]), static_cast<const float *>(in[4]),
            static_cast<const float *>(in[5]), static_cast<const float *>(in[6]), dx,
            in_shared ? nullptr : static_cast<char *>(workspace), bytes);
        check_launch("ctc_grad");
    };
    return kernel_of("cuda:ctc_grad", launch, in_shared ? 0 : static_cast<std::size_t>(form.items) * bytes);
}

std::unique_ptr<Kernel> prepare(Device &, const mpt_mod_call &call) {
    std::unique_ptr<Kernel> kernel;
    visit_float(call.kernel, call.in[0].dtype, [&](auto t) { kernel = make<decltype(t)>(call); });
    return kernel;
}
std::unique_ptr<Kernel> prepare_grad(Device &device, const mpt_mod_call &call) {
    std::unique_ptr<Kernel> kernel;
    visit_float(call.kernel, call.out[0].dtype, [&](auto t) { kernel = make_grad<decltype(t)>(device, call); });
    return kernel;
}
const RegisteredKernel registered("ctc", prepare);
const RegisteredKernel registered_grad("ctc_grad", prepare_grad);

}  // namespace
}  // namespace mpt::cuda
