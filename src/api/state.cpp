#include "io/state.h"

#include "api/guard.h"
#include "ops/ops.h"
#include "precision/fp8.h"

using namespace mpt;

namespace {

// Checkpoints change parameters in place, which is no part of any graph.
template <class F>
mpt_status transfer(const char *function, mpt_state *state, F &&body) {
    return api::call(function, state, "state", [&](Context &c) {
        api::need_outside_capture(c, "save and load between runs");
        ScopeGuard guard(c);
        c.scope.grad = false;
        c.scope.policy = nullptr;
        body();
    });
}

// What a prefix puts in front of the names: "prefix.", or nothing.
std::string begin_of(const char *prefix) {
    const std::string own = prefix ? api::text_in(prefix, "prefix") : "";
    return own.empty() ? own : own + ".";
}

}  // namespace

mpt_status MPT_CALL mpt_state_create(mpt_context *ctx, mpt_state **out) {
    return api::call("mpt_state_create", ctx, "ctx", [&](Context &c) {
        api::need(out, "out");
        *out = make<mpt_state>(c).detach();
    });
}
void MPT_CALL mpt_state_retain(mpt_state *state) {
    if (state) state->retain();
}
void MPT_CALL mpt_state_release(mpt_state *state) {
    if (state) state->release();
}

mpt_status MPT_CALL mpt_state_add_tensor(mpt_state *state, const char *name, mpt_tensor *tensor) {
    return api::call("mpt_state_add_tensor", state, "state", [&](Context &c) {
        const std::string own = api::text_in(name, "name");
        state->add("name", {{own, api::tensor(c, tensor, "tensor")}});
    });
}

mpt_status MPT_CALL mpt_state_add_layer(mpt_state *state, const char *prefix, mpt_layer *layer) {
    return api::call("mpt_state_add_layer", state, "state", [&](Context &c) {
        const std::string own = begin_of(prefix);
        std::vector<mpt_state::Item> items;
        const mpt_layer &from = api::same(c, layer, "layer");
        for (auto &[name, parameter] : from.parameters()) items.push_back({own + name, parameter});
        for (auto &[name, buffer] : from.buffers()) items.push_back({own + name, buffer});
        state->add("prefix", std::move(items));
    });
}

mpt_status MPT_CALL mpt_state_add_optimizer(mpt_state *state, const char *prefix, mpt_optimizer *optimizer) {
    return transfer("mpt_state_add_optimizer", state, [&] {
        const std::string own = begin_of(prefix);
        state->add_optimizer(own, Ref<mpt_optimizer>(&api::same(*state->ctx, optimizer, "optimizer")));
    });
}

mpt_status MPT_CALL mpt_state_add_scaler(mpt_state *state, const char *prefix, mpt_scaler *scaler) {
    return api::call("mpt_state_add_scaler", state, "state", [&](Context &c) {
        const std::string own = begin_of(prefix);
        api::same(c, scaler, "scaler");
        state->add("prefix", {{own + "scale", scaler->scale}, {own + "tracker", scaler->tracker}, {own + "counts", scaler->counts}});
    });
}

mpt_status MPT_CALL mpt_state_add_average(mpt_state *state, const char *prefix, mpt_average *average) {
    return api::call("mpt_state_add_average", state, "state", [&](Context &c) {
        const std::string own = begin_of(prefix);
        state->add_average(own, Ref<mpt_average>(&api::same(c, average, "average")));
    });
}

mpt_status MPT_CALL mpt_state_add_fp8(mpt_state *state, const char *prefix, mpt_policy *policy, mpt_layer *layer) {
    return transfer("mpt_state_add_fp8", state, [&] {
        Context &c = *state->ctx;
        const std::string own = begin_of(prefix);
        const mpt_fp8_desc &recipe = api::same(c, policy, "policy").recipe;
        std::vector<mpt_state::Item> items;
        for (auto &[name, parameter] : api::same(c, layer, "layer").parameters()) {
            if (recipe.recipe != MPT_FP8_DELAYED || parameter->shape.n < 2) continue;  // only weights have histories
            const Ref<fp8::Scaling> scaling = fp8::scaling_of(parameter, recipe);
            for (int i = 0; i < 3; ++i) {
                const fp8::Scaling::Slot &slot = scaling->slots[static_cast<std::size_t>(i)];
                const std::string path = own + name + "." + fp8::kOperandNames[i] + "_";
                for (const auto &[tensor, kind] : {std::pair{slot.history, "history"}, std::pair{slot.amax, "amax"}, std::pair{slot.scale, "scale"}, std::pair{slot.position, "position"}})
                    items.push_back({path + kind, tensor});
            }
        }
        state->add("prefix", std::move(items));
    });
}

mpt_status MPT_CALL mpt_state_add_random(mpt_state *state, const char *prefix) {
    return api::call("mpt_state_add_random", state, "state",
                     [&](Context &c) { state->add("prefix", {{begin_of(prefix) + "state", ops::random_state(c)}}); });
}

mpt_status MPT_CALL mpt_state_set_number(mpt_state *state, const char *name, int64_t value) {
    return api::call("mpt_state_set_number", state, "state", [&](Context &) { state->set_number(api::text_in(name, "name"), value); });
}

mpt_status MPT_CALL mpt_state_number(const mpt_state *state, const char *name, int64_t *out) {
    return api::call("mpt_state_number", state, "state", [&](Context &) {
        const std::string own = api::text_in(name, "name");
        api::need(out, "out");
        auto found = state->numbers.find(own);
        if (found == state->numbers.end()) fail(MPT_ERROR_NOT_FOUND, "argument 'name' is '", own, "', which was never set: call mpt_state_set_number before saving or loading");
        *out = found->second;
    });
}

mpt_status MPT_CALL mpt_state_save(mpt_state *state, const char *path) {
    return transfer("mpt_state_save", state, [&] {
        const std::string file = api::text_in(path, "path");
        api::about("argument 'path' is '" + file + "'", [&] { state->save(file); });
    });
}

mpt_status MPT_CALL mpt_state_load(mpt_state *state, const char *path) {
    return transfer("mpt_state_load", state, [&] {
        const std::string file = api::text_in(path, "path");
        api::about("argument 'path' is '" + file + "'", [&] { state->load(file); });
    });
}

mpt_status MPT_CALL mpt_state_save_to(mpt_state *state, mpt_write_fn write, void *user_data) {
    return transfer("mpt_state_save_to", state, [&] {
        if (!write) fail(MPT_ERROR_ARGUMENT, "argument 'write' is NULL: give a function");
        state->save([&](const void *data, std::size_t nbytes) {
            if (nbytes > 0 && write(data, nbytes, user_data) != 0) fail(MPT_ERROR_IO, "argument 'write' reported a failure for ", nbytes, " bytes");
        });
    });
}

mpt_status MPT_CALL mpt_state_load_from(mpt_state *state, mpt_read_fn read, void *user_data) {
    return transfer("mpt_state_load_from", state, [&] {
        if (!read) fail(MPT_ERROR_ARGUMENT, "argument 'read' is NULL: give a function");
        api::about("argument 'read'", [&] {
            state->load([&](void *data, std::size_t nbytes) {
                if (nbytes > 0 && read(data, nbytes, user_data) != 0) fail(MPT_ERROR_IO, "it reported a failure or a premature end for ", nbytes, " bytes");
            });
        });
    });
}
