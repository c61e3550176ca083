// How an op is called and what it is. Every op enters at the top of the context's chain of emitters: autocast ->
// autograd -> sink, which runs it or records it. Each emitter knows only the next one, and none knows an op by name.
#pragma once

#include <cstring>
#include <type_traits>
#include <vector>

#include "core/tensor.h"
#include "device/device.h"

namespace mpt {

// What autocast does with an op's floating inputs.
enum class Precision {
    Lower,      // to the policy's type: products
    F32,        // to f32: what needs range
    F32Result,  // read as they are, give f32
    Promote,    // to the widest among them
    AsIs,
};

// An op's attributes as bytes: compared, hashed and kept without knowing them.
class Attrs {
public:
    Attrs() = default;
    template <class T>
    Attrs(const T &value) : size_(sizeof(T)) {
        static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof bytes_);
        std::memcpy(bytes_, &value, sizeof(T));
    }
    template <class T>
    const T &as() const {
        return *reinterpret_cast<const T *>(bytes_);
    }
    const void *data() const { return bytes_; }
    std::size_t size() const { return size_; }

private:
    alignas(8) unsigned char bytes_[80] = {};
    std::size_t size_ = 0;
};

struct Op;

struct Call {
    const Op *op;
    std::vector<Ref<Tensor>> in;   // a null one: an optional operand that is absent
    std::vector<Ref<Tensor>> out;  // filled by the sink; a given one is written in place
    Attrs attrs;
    mpt_dtype result = MPT_DTYPE_NONE;  // wanted type of the first output, where the op leaves it open
    Ref<Object> keep = {};  // what the attributes point to, if anything: lives as long as the call's node and its step in a program
};

// The form of an output.
struct Spec {
    mpt_dtype dtype = MPT_DTYPE_NONE;
    Dims shape, strides;
    std::int64_t offset = 0;  // of a view
};
// Of rows that products make or read: contiguous, or, where they are many and long, as far apart as the device likes them.
Spec rows_for_products(const Context &ctx, mpt_dtype dtype, const Dims &shape);

// Operand i in a mask of Op; the last bit stands for all later operands, too.
inline bool has_bit(unsigned mask, std::size_t i) { return mask >> (i < 31 ? i : 31) & 1; }

class GradRule;

struct Op {
    const char *name;            // as policies and plans write it
    const char *kernel = nullptr;  // NULL: a view of in[0]
    Precision precision = Precision::AsIs;
    unsigned cast = ~0u;         // the inputs that autocast looks at, as bits
    unsigned follows = 0;        // of the others: those that a policy gives the type of the first
    // Checks the inputs and gives the outputs' forms. Absent for an op whose outputs are all given.
    void (*infer)(const Call &call, std::vector<Spec> &out) = nullptr;
    // The forms that the kernel sees, where they are not those of the tensors (flattened, transposed, broadcast).
    void (*arrange)(const Call &call, KernelCall &kernel) = nullptr;
    bool updates = false;        // given outputs are read, too
    // The kernel itself, for an op that no device module knows: the host's own.
    Ref<Kernel> (*prepare)(const Call &call, const KernelCall &kernel) = nullptr;
    bool fp8 = false;  // a product whose operands may be fp8 tensors with scales
    // The product of such operands by a kernel that takes them as they are; null where the device has none. result and out[0] as in the call.
    Ref<Tensor> (*scaled)(const Call &call) = nullptr;
    // The gradient, written in ops; NULL: not differentiable.
    void (*gradient)(GradRule &rule) = nullptr;
    // The gradient of the output is that of in[0] but for the type: conversions are not nodes of the graph, so that a
    // product's weight gradient can be written straight into the gradient of the f32 master behind a conversion.
    bool passes_gradient = false;
    unsigned saves_in = 0, saves_out = 0;  // operands that the gradient reads, as bits
    bool crosswise = false;                // a product: in[1] is read for the gradient of in[0], and in[0] for those of the rest
    unsigned differentiable = 1;           // outputs that carry a gradient, as bits
};

class Emitter {
public:
    virtual ~Emitter() = default;
    virtual void emit(Call &call) = 0;
};

// Sends a call down the context's chain.
void emit(Context &ctx, Call &call);
// The same for an op with one output.
Ref<Tensor> emit1(Context &ctx, const Op &op, std::vector<Ref<Tensor>> in, const Attrs &attrs = {}, Tensor *into = nullptr,
                  mpt_dtype result = MPT_DTYPE_NONE);
// The op itself (below autocast and autograd), run at once even while a capture is open: for state that lives outside of it.
void run_now(Context &ctx, Call &call);

mpt_mod_operand form_of(const Tensor *tensor);
mpt_mod_operand form_of(mpt_dtype dtype, const Dims &shape, const Dims &strides);

// What a gradient rule is given and gives back. Implemented by the engine.
class GradRule {
public:
    virtual ~GradRule() = default;
    virtual Context &ctx() = 0;
    virtual const Attrs &attrs() = 0;
    virtual const Ref<Object> &keep() = 0;
    virtual int inputs() = 0;
    virtual bool needs(int input) = 0;            // does a gradient flow into it?
    virtual const Ref<Tensor> &in(int input) = 0;   // only if saved
    virtual const Ref<Tensor> &out(int output) = 0;  // only if saved
    virtual const Spec &in_form(int input) = 0;
    virtual const Ref<Tensor> &dout(int output) = 0;  // the output's gradient, never null for output 0 of a one-output op
    // Where the gradient of an input ends, when it can be written there directly: give it as the op's output.
    virtual Tensor *target(int input) = 0;
    virtual void give(int input, Ref<Tensor> gradient) = 0;
};

}  // namespace mpt
