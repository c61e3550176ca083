// Elements of one dtype from one layout to another.
#pragma once

#include <optional>

#include "tiles.cuh"

namespace mpt::cuda {

class Mover {
public:
    // The shapes are the same; from may have strides of 0. name: of the kernel, for messages.
    Mover(const Device &device, const char *name, const mpt_mod_operand &to, const mpt_mod_operand &from);
    void run(const void *in, void *out, cudaStream_t stream) const;

private:
    const Device *device_;
    const char *name_;
    Loop loop_;
    std::optional<TilePlan> tiles_;
    int bytes_;
};

}  // namespace mpt::cuda
