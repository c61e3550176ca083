#include "program/program.h"

#include <algorithm>
#include <map>
#include <sstream>
#include <unordered_set>

#include "ops/emit.h"
#include "program/passes/dead_code.h"
#include "program/passes/fuse.h"

using namespace mpt;

namespace {

void *address(const Tensor &t, const passes::ArenaPlan &plan, void *arena) {
    auto found = plan.offsets.find(t.storage.get());
    if (found == plan.offsets.end()) return t.data();
    return static_cast<char *>(arena) + found->second + static_cast<std::size_t>(t.offset) * dtype_size(t.dtype);
}

const char *role_name(mpt_role role) {
    return role == MPT_ROLE_INPUT_GRADIENT ? "dgrad" : role == MPT_ROLE_WEIGHT_GRADIENT ? "wgrad" : "fwd";
}

}  // namespace

mpt_program::mpt_program(mpt_context &context, const Recording &recording, const std::vector<Ref<Tensor>> &outputs)
    : ctx(&context), feeding(context) {
    std::vector<Step> steps = passes::dead_code(recording.steps, recording.born, outputs);
    if (ctx->fusion) steps = passes::fuse(*ctx->device, std::move(steps), recording.born, outputs);
    std::unordered_set<const Storage *> born;
    for (const Ref<Storage> &s : recording.born) born.insert(s.get());
    for (const Ref<Tensor> &t : outputs) {
        const bool known = std::find(output_storages.begin(), output_storages.end(), t->storage) != output_storages.end();
        if (born.count(t->storage.get()) && !known) output_storages.push_back(t->storage);
    }
    const passes::ArenaPlan plan = passes::arena(steps, recording.born, output_storages);

    arena_bytes = plan.nbytes;
    arena_ = ctx->memory.take_exact(arena_bytes, "a program's arena");
    try {
        for (const Ref<Storage> &s : output_storages) {
            output_bytes += s->nbytes();
            if (!s->data()) s->give_memory();
        }
        // What lives outside of the arena is kept, and what a run does to it is noted.
        std::map<Storage *, std::uint64_t> writes;
        std::unordered_set<const Storage *> kept, read;
        for (const Step &step : steps) {
            for (const Ref<Tensor> &t : step.in) {
                if (!t || plan.offsets.count(t->storage.get())) continue;
                if (kept.insert(t->storage.get()).second) kept_.push_back(t->storage);
                if (read.insert(t->storage.get()).second) read_.push_back(t->storage);
            }
            for (const Ref<Tensor> &t : step.out) {
                if (!t || plan.offsets.count(t->storage.get())) continue;
                if (kept.insert(t->storage.get()).second) kept_.push_back(t->storage);
                ++writes[t->storage.get()];
            }
        }
        for (const auto &[storage, count] : writes) writes_.emplace_back(Ref<Storage>(storage), count);
        refreshed_ = recording.refreshed();
        shadow_reads = recording.reads;
        bind(steps, plan);
        describe(steps, plan);
    } catch (...) {
        ctx->memory.give_exact(arena_, arena_bytes);
        throw;
    }
}

mpt_program::~mpt_program() {
    graph_ = nullptr;
    launches_.clear();
    ctx->memory.give_exact(arena_, arena_bytes);
}

void mpt_program::bind(const std::vector<Step> &steps, const passes::ArenaPlan &plan) {
    launches_.reserve(steps.size());
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const Step &step = steps[i];
        Launch launch{step.kernel, {}, {}, step.kernel->workspace_bytes() ? static_cast<char *>(arena_) + plan.workspaces[i] : nullptr};
        for (const Ref<Tensor> &t : step.in) launch.in.push_back(t ? address(*t, plan, arena_) : nullptr);
        launch.in.push_back(nullptr);  // an optional operand that the op's arrange added
        for (const Ref<Tensor> &t : step.out) launch.out.push_back(t ? address(*t, plan, arena_) : nullptr);
        launches_.push_back(std::move(launch));
    }
}

void mpt_program::describe(const std::vector<Step> &steps, const passes::ArenaPlan &plan) {
    std::ostringstream out;
    out.exceptions(std::ios::badbit);  // no memory: an exception, not a shorter text
    out << "program: " << steps.size() << " steps, arena " << arena_bytes << " bytes, outputs " << output_bytes << " bytes\n"
        << "step\top\tkernel\trole\tlayer\toperands: @ place in the arena, # memory outside of it, - none\n";
    std::unordered_map<const Storage *, std::size_t> numbers;
    const auto operand = [&](const Ref<Tensor> &t) {
        if (!t) return std::string("-");
        std::ostringstream s;
        s.exceptions(std::ios::badbit);
        s << dtype_name(t->dtype) << t->shape;
        auto found = plan.offsets.find(t->storage.get());
        if (found != plan.offsets.end())
            s << "@" << found->second;
        else
            s << "#" << numbers.try_emplace(t->storage.get(), numbers.size()).first->second;
        return s.str();
    };
    constexpr std::size_t kShown = 6;  // a multi-tensor update has hundreds
    const auto list = [&](const std::vector<Ref<Tensor>> &tensors) {
        std::string s;
        for (std::size_t i = 0; i < std::min(tensors.size(), kShown); ++i) s += (i ? ", " : "") + operand(tensors[i]);
        if (tensors.size() > kShown) s += ", and " + std::to_string(tensors.size() - kShown) + " more";
        return s;
    };
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const Step &step = steps[i];
        out << i << "\t" << step.op->name << "\t" << step.kernel->name() << "\t" << role_name(step.role) << "\t"
            << (step.layer.empty() ? "-" : step.layer) << "\t(" << list(step.in) << ") -> (" << list(step.out) << ")";
        if (step.kernel->workspace_bytes()) out << " workspace " << step.kernel->workspace_bytes() << "@" << plan.workspaces[i];
        out << "\n";
    }
    text = out.str();
}

bool mpt_program::reads(const Storage &storage) const {
    return std::any_of(read_.begin(), read_.end(), [&](const Ref<Storage> &s) { return s.get() == &storage; });
}

void mpt_program::require_inputs() const {
    for (const Ref<Storage> &s : read_)
        if (std::find(output_storages.begin(), output_storages.end(), s) == output_storages.end()) s->require_ready("program");
}

// The first run goes kernel by kernel, so that all that a kernel does only once is done; then the device may take them as one.
void mpt_program::launch() {
    const auto enqueue = [this](void *stream) {
        for (const Launch &l : launches_) l.kernel->launch(l.in.data(), l.out.data(), l.workspace, stream);
    };
    if (!graph_ || !graph_->launch(ctx->stream())) {
        enqueue(ctx->stream());
        if (!ran_) graph_ = ctx->device->graph(enqueue);
        ran_ = true;
    }
    for (const auto &[storage, count] : writes_) storage->version += count;
    for (const auto &[storage, dtype] : refreshed_)
        if (Shadow *shadow = storage->find_shadow(dtype)) shadow->of_version = storage->version;
    for (const Ref<Storage> &s : output_storages) s->set_state(StorageState::Ready);
}
