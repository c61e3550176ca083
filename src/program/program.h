// A planned step: prepared kernels with their addresses, run one after the other.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "program/feeding.h"
#include "program/passes/arena.h"
#include "program/recording.h"

struct mpt_program final : mpt::Object {
    // Plans a recording and takes all memory. The recording is left as it was.
    mpt_program(mpt_context &ctx, const mpt::Recording &recording, const std::vector<mpt::Ref<mpt::Tensor>> &outputs);
    ~mpt_program() override;

    void launch();
    bool reads(const mpt::Storage &storage) const;
    // Refuses to run on another program's output that is not there yet.
    void require_inputs() const;

    mpt::Ref<mpt_context> ctx;
    std::vector<mpt::ShadowUse> shadow_reads;
    std::vector<mpt::Ref<mpt::Storage>> output_storages;  // born inside, kept
    std::size_t arena_bytes = 0, output_bytes = 0;
    std::string text;
    mpt::Feeding feeding;

protected:
    void dispose() override { ctx->dispose(this); }

private:
    struct Launch {
        mpt::Ref<mpt::Kernel> kernel;
        std::vector<const void *> in;
        std::vector<void *> out;
        void *workspace;
    };
    void bind(const std::vector<mpt::Step> &steps, const mpt::passes::ArenaPlan &plan);
    void describe(const std::vector<mpt::Step> &steps, const mpt::passes::ArenaPlan &plan);

    std::vector<Launch> launches_;
    mpt::Ref<mpt::Graph> graph_;
    bool ran_ = false;
    void *arena_ = nullptr;
    std::vector<mpt::Ref<mpt::Storage>> kept_;  // from outside, and the outputs
    std::vector<mpt::Ref<mpt::Storage>> read_;
    std::vector<std::pair<mpt::Ref<mpt::Storage>, std::uint64_t>> writes_;  // how often a run writes it
    std::vector<std::pair<mpt::Ref<mpt::Storage>, mpt_dtype>> refreshed_;
};
