// Rows of wrong calls: what is called on a fresh world of objects, the status that must come back, and what its message names.
#pragma once

#include <cstdint>
#include <cstring>
#include <deque>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "training/net.h"

namespace misuse {

// One context with one object of each kind. It counts what its error hook and its allocator see.
struct Side {
    Side();
    Side(const Side &) = delete;
    Side &operator=(const Side &) = delete;

    int failures = 0;  // calls of the error hook, and the last one's arguments
    mpt_status status = MPT_OK;
    std::string message;

    net::Context ctx;
    net::Tensor x, half, ints, bools, row, scalar;  // [2, 3] of f32, f16, i32 and bool; f32 [4] and []
    net::Tensor weight, image, filter, labels;      // f32 [4, 3], [1, 2, 6, 6] and [4, 2, 3, 3]; i64 [2]
    net::Tensor leaf, loss;                         // f32 [2, 3] that asks for gradients, and the sum of its squares
    net::Layer linear, chain;                       // 3 -> 4, by itself and as child "head"
    net::Policy policy;
    net::Scaler scaler;
    net::Optimizer optimizer;  // with leaf in group "own"
    net::Program program;      // reads x
    net::Tensor output;        // of program, which has not run
    net::State state;          // with x as "x"
};

// What the rows work on. Everything that a row passes on lives until the row is over.
struct World : Side {
    Side other;  // a foreign context

    World() { std::memset(room, kSentinel, sizeof room); }
    ~World();

    // Where a call may write: a slot of its own per use, filled with sentinels. Handles that come out are released.
    class Out {
    public:
        Out(World &world, void *slot) : world_(world), slot_(slot) {}
        template <class T>
        operator T *() const {
            if constexpr (std::is_pointer_v<T>) world_.remember(static_cast<T *>(slot_));
            return static_cast<T *>(slot_);
        }

    private:
        World &world_;
        void *slot_;
    };
    Out out() { return Out(*this, room + kSlot * used_++); }
    bool untouched() const;

    const std::int64_t *extents(std::initializer_list<std::int64_t> list) { return keep(extents_, list); }
    const std::int32_t *axes(std::initializer_list<std::int32_t> list) { return keep(axes_, list); }
    mpt_tensor *const *list(std::initializer_list<mpt_tensor *> tensors) { return keep(lists_, tensors); }

    // Steps that must succeed on the way to the wrong one.
    World &capture();       // opens a capture
    World &backward();      // gradients of loss, scaled
    mpt_tensor *doubled();  // x + x, born inside an open capture
    std::string saved();    // the state's bytes
    std::string path(const char *name);

    static constexpr unsigned char kSentinel = 0xA5;
    alignas(64) float memory[64] = {};  // for tensors that wrap memory, and to read into

private:
    template <class T, class L>
    static const T *keep(std::deque<std::vector<T>> &lists, const L &list) {
        return lists.emplace_back(list).data();
    }
    template <class T>
    void remember(T **slot) {
        if constexpr (std::is_same_v<T, mpt_context>) made_.emplace_back(slot, [](void *p) { mpt_context_release(static_cast<T *>(p)); });
        if constexpr (std::is_same_v<T, mpt_tensor>) made_.emplace_back(slot, [](void *p) { mpt_tensor_release(static_cast<T *>(p)); });
        if constexpr (std::is_same_v<T, mpt_layer>) made_.emplace_back(slot, [](void *p) { mpt_layer_release(static_cast<T *>(p)); });
        if constexpr (std::is_same_v<T, mpt_policy>) made_.emplace_back(slot, [](void *p) { mpt_policy_release(static_cast<T *>(p)); });
        if constexpr (std::is_same_v<T, mpt_scaler>) made_.emplace_back(slot, [](void *p) { mpt_scaler_release(static_cast<T *>(p)); });
        if constexpr (std::is_same_v<T, mpt_optimizer>) made_.emplace_back(slot, [](void *p) { mpt_optimizer_release(static_cast<T *>(p)); });
        if constexpr (std::is_same_v<T, mpt_average>) made_.emplace_back(slot, [](void *p) { mpt_average_release(static_cast<T *>(p)); });
        if constexpr (std::is_same_v<T, mpt_program>) made_.emplace_back(slot, [](void *p) { mpt_program_release(static_cast<T *>(p)); });
        if constexpr (std::is_same_v<T, mpt_state>) made_.emplace_back(slot, [](void *p) { mpt_state_release(static_cast<T *>(p)); });
    }

    static constexpr std::size_t kSlot = 256;
    alignas(64) unsigned char room[8 * kSlot];
    std::size_t used_ = 0;
    std::vector<std::pair<void *, void (*)(void *)>> made_;
    net::Tensor born_;
    std::deque<std::vector<std::int64_t>> extents_;
    std::deque<std::vector<std::int32_t>> axes_;
    std::deque<std::vector<mpt_tensor *>> lists_;
};

enum Kind {
    Null,     // NULL where a value is needed
    Taken,    // fine: NULL, an extreme or an empty value that the header allows
    Foreign,  // a handle of another context
    Shape,
    Dtype,
    Range,    // a number, name or enum out of its range
    Tail,     // a descriptor with a field that this version does not know
    State,    // in the wrong order
    Capture,  // inside a capture, where it cannot be recorded
    Other     // the row names its status
};

struct Row {
    const char *function;
    Kind kind;
    const char *argument;  // that the message names; "" where none is at fault
    const char *value;     // that the message gives; "" where there is none to give
    mpt_status (*call)(World &);
    mpt_status status = MPT_OK;  // of kind Other
    bool anonymous = false;      // fails before a context is known
};

std::vector<Row> &all_rows();

struct Rows {
    Rows(std::initializer_list<Row> rows) { all_rows().insert(all_rows().end(), rows); }
};

// A row that is one call.
#define ROW(kind, argument, value, function, ...) \
    misuse::Row { #function, misuse::kind, argument, value, []([[maybe_unused]] misuse::World &w) -> mpt_status { return function(__VA_ARGS__); } }
// The same with a status of its own.
#define ROW_IS(status, argument, value, function, ...) \
    misuse::Row { #function, misuse::Other, argument, value, []([[maybe_unused]] misuse::World &w) -> mpt_status { return function(__VA_ARGS__); }, status }
// A row that has to prepare something first: the body ends with the call.
#define STEPS(function, kind, argument, value, ...) \
    misuse::Row { function, misuse::kind, argument, value, []([[maybe_unused]] misuse::World &w) -> mpt_status { __VA_ARGS__; } }
#define STEPS_IS(function, status, argument, value, ...) \
    misuse::Row { function, misuse::Other, argument, value, []([[maybe_unused]] misuse::World &w) -> mpt_status { __VA_ARGS__; }, status }

// The two ways that functions give text.
#define TEXT_ROWS(function, ...)                                        \
    ROW(Null, "text", "", function, __VA_ARGS__, nullptr, 10, w.out()), \
    ROW(Taken, "text", "", function, __VA_ARGS__, nullptr, 0, w.out()), \
    ROW(Taken, "nbytes", "", function, __VA_ARGS__, w.out(), 1, w.out()), \
    ROW(Taken, "needed_out", "", function, __VA_ARGS__, w.out(), 16, nullptr)

// A row with one field of a descriptor set wrong. Use: a struct with good() (a descriptor that would do) and use(world, descriptor).
#define FIELD(Use, kind, text, assignment)                                                        \
    misuse::Row {                                                                                 \
        Use::function, misuse::kind, Use::argument, text, [](misuse::World &w) -> mpt_status {    \
            auto d = Use::good();                                                                 \
            assignment;                                                                           \
            return Use::use(w, &d);                                                               \
        }                                                                                         \
    }

// Descriptors of callers that were compiled with other headers, or did not call the init function.
template <class Use>
mpt_status with_size(World &w, std::uint32_t size) {
    auto d = Use::good();
    d.struct_size = size;
    return Use::use(w, &d);
}
template <class Use>
mpt_status with_tail(World &w, unsigned char last) {
    struct {
        decltype(Use::good()) desc = Use::good();
        unsigned char tail[64] = {};
    } longer;
    longer.desc.struct_size = sizeof longer;
    longer.tail[63] = last;
    return Use::use(w, &longer.desc);
}
#define DESCRIPTOR_ROWS(Use)                                                                                                            \
    misuse::Row{Use::function, misuse::Range, Use::argument, "struct_size is 0", [](misuse::World &w) { return misuse::with_size<Use>(w, 0); }}, \
    misuse::Row{Use::function, misuse::Range, Use::argument, "struct_size is 3", [](misuse::World &w) { return misuse::with_size<Use>(w, 3); }}, \
    misuse::Row{Use::function, misuse::Range, Use::argument, "struct_size is 4294967295",                                               \
                [](misuse::World &w) { return misuse::with_size<Use>(w, 0xffffffffu); }},                                               \
    misuse::Row{Use::function, misuse::Tail, Use::argument, "byte", [](misuse::World &w) { return misuse::with_tail<Use>(w, 1); }},     \
    misuse::Row{Use::function, misuse::Taken, Use::argument, "", [](misuse::World &w) { return misuse::with_tail<Use>(w, 0); }}

#define INIT_ROWS(function, argument)                              \
    ROW(Null, argument, "", function, nullptr, 64),                \
    ROW(Range, "nbytes", "is 0", function, w.out(), 0),            \
    ROW(Range, "nbytes", "is 3", function, w.out(), 3),            \
    ROW(Range, "nbytes", "is 1000000", function, w.out(), 1000000)

}  // namespace misuse
