// A kernel as oneDNN primitives: phases one after the other, the parts of a phase side by side on the pool's
// threads, the primitives of a part in order. All objects are made beforehand; a launch sets addresses and executes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "kernel.h"

namespace mpt::onednn {

// Where a tensor lies: an input, an output, the workspace or the kernel's constants, and how many bytes after its start.
struct Place {
    enum Base { In, Out, Work, Constant } base;
    int index;
    std::size_t offset;
};

// One primitive with its arguments, or a function of ours.
class Step {
public:
    struct Addresses {
        const void *const *in;
        void *const *out;
        char *workspace;
        const void *const *constants;
        char *of(const Place &place) const;
    };
    using Function = std::function<void(const Addresses &)>;

    Step(const dnnl::engine &engine, dnnl::primitive primitive) : engine_(engine), primitive_(std::move(primitive)) {}
    explicit Step(Function function) : function_(std::move(function)) {}
    void argument(int name, const dnnl::memory::desc &desc, Place place);
    dnnl_status_t run(const Addresses &addresses, dnnl_stream_t stream) const;

private:
    Function function_;  // empty: the primitive
    dnnl::engine engine_;
    dnnl::primitive primitive_;
    std::vector<dnnl::memory> memories_;
    std::vector<Place> places_;
    std::vector<dnnl_exec_arg_t> arguments_;
};

using Part = std::vector<Step>;
using Phase = std::vector<Part>;

class Schedule : public Kernel {
public:
    explicit Schedule(const Device &device) : device_(device) {}

    // Workspace for desc, or for bytes.
    Place reserve(std::size_t bytes);
    Place reserve(const dnnl::memory::desc &desc) { return reserve(desc.get_size()); }
    // Ones of f32 or bf16, at least count of them.
    Place ones(dnnl::memory::data_type type, std::size_t count);
    // A step of primitive P; its scratchpad comes from the workspace.
    template <class P>
    Step step(const typename P::primitive_desc &desc) {
        Step made(device_.engine, P(desc));
        const dnnl::memory::desc scratchpad = desc.scratchpad_desc();
        if (scratchpad.get_size() > 0) made.argument(DNNL_ARG_SCRATCHPAD, scratchpad, reserve(scratchpad));
        return made;
    }
    // Copies between two forms of one tensor.
    Step reorder(const dnnl::memory::desc &from, Place source, const dnnl::memory::desc &to, Place target);
    // Gives step its argument `name` in the form `wanted`. Where the tensor lies in another form it is copied through the
    // workspace: by a step in `before` (an input) or in `after` (an output).
    void bind_input(Part &before, Step &step, int name, const dnnl::memory::desc &lies, Place place,
                    const dnnl::memory::desc &wanted);
    void bind_output(Part &after, Step &step, int name, const dnnl::memory::desc &lies, Place place,
                     const dnnl::memory::desc &wanted);
    void add(Phase phase);

    void launch(const void *const *in, void *const *out, void *workspace) override;

    const Device &device() const { return device_; }

private:
    const Device &device_;
    std::vector<Phase> phases_;
    std::vector<dnnl::stream> streams_;  // one per part
    std::vector<float> f32_ones_;
    std::vector<std::uint16_t> bf16_ones_;
};

// The pieces [begin, end) of [0, n) that parts take; sizes differ by one `grain` at most.
struct Range {
    std::int64_t begin, end;
    std::int64_t size() const { return end - begin; }
};
inline Range piece(std::int64_t n, std::int64_t grain, int part, int parts) {
    const std::int64_t grains = (n + grain - 1) / grain;
    const std::int64_t begin = grains * part / parts * grain, end = grains * (part + 1) / parts * grain;
    return {begin < n ? begin : n, end < n ? end : n};
}

}  // namespace mpt::onednn
