// One parameter whose gradient the test writes: found-inf at will. And checkpoints in memory.
#pragma once

#include <cstring>
#include <stdexcept>
#include <string>

#include "net.h"

namespace net {

struct Toy {
    Context ctx = context();
    Tensor p;
    Optimizer optimizer;
    Scaler scaler;

    explicit Toy(const mpt_scaler_desc *desc, mpt_dtype dtype = MPT_F32) : p(tensor(ctx, dtype, {3})) {
        MUST(mpt_tensor_fill(p, 1));
        MUST(mpt_tensor_set_requires_grad(p, 1));
        MUST(mpt_optimizer_adam(ctx, nullptr, optimizer.out()));
        mpt_tensor *list[] = {p};
        MUST(mpt_optimizer_add_group(optimizer, "p", list, 1, nullptr));
        MUST(mpt_scaler_create(ctx, desc, scaler.out()));
    }
    void gradient(double value) {
        Tensor g;
        MUST(mpt_tensor_grad(p, g.out()));
        MUST(mpt_tensor_fill(g, value));
    }
    double scale() {
        double v = 0;
        MUST(mpt_scaler_scale(scaler, &v));
        return v;
    }
};

inline std::string contents(mpt_state *state) {
    std::string all;
    MUST(mpt_state_save_to(
        state,
        [](const void *data, std::size_t n, void *to) {
            static_cast<std::string *>(to)->append(static_cast<const char *>(data), n);
            return 0;
        },
        &all));
    return all;
}

inline void load(mpt_state *state, const std::string &file) {
    struct Reader {
        const std::string *data;
        std::size_t at;
    } reader{&file, 0};
    MUST(mpt_state_load_from(
        state,
        [](void *to, std::size_t n, void *user) {
            auto *r = static_cast<Reader *>(user);
            if (r->data->size() - r->at < n) return 1;
            std::memcpy(to, r->data->data() + r->at, n);
            r->at += n;
            return 0;
        },
        &reader));
}

}  // namespace net
