// Named tensors on their way to or from a checkpoint.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "nn/layer.h"
#include "optim/average.h"
#include "optim/optimizer.h"
#include "precision/scaler.h"

struct mpt_state final : mpt::Object {
    using Writer = std::function<void(const void *, std::size_t)>;
    using Reader = std::function<void(void *, std::size_t)>;

    struct Item {
        std::string name;
        mpt::Ref<mpt::Tensor> tensor;
    };

    explicit mpt_state(mpt_context &context) : ctx(&context) {}

    // All or, when a name is taken, none. argument: what the caller's names come from, for the message.
    void add(const char *argument, std::vector<Item> items);
    void set_number(const std::string &name, std::int64_t value);
    // prefix: with its dot.
    void add_optimizer(const std::string &prefix, const mpt::Ref<mpt_optimizer> &optimizer);
    void add_average(const std::string &prefix, const mpt::Ref<mpt_average> &average);
    void save(const Writer &write) const;
    void save(const std::string &path) const;
    void load(const Reader &read);
    void load(const std::string &path);

    mpt::Ref<mpt_context> ctx;
    std::map<std::string, std::int64_t> numbers;

protected:
    void dispose() override { ctx->dispose(this); }

private:
    void require_new(const char *argument, const std::string &name) const;
    void require_ready() const;

    std::vector<Item> items_;
    // Optimizers whose state lives in more than the tensors: f32 masters are copies keyed to their parameters' versions.
    std::vector<std::function<void()>> before_save_, after_load_;
    std::vector<mpt::Ref<mpt::Object>> keep_;
};
