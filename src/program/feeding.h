// What comes from the host for a program's next run, while the last one still computes.
#pragma once

#include <cstddef>
#include <unordered_map>

#include "core/context.h"
#include "core/tensor.h"
#include "device/device.h"

namespace mpt {

// Copies go to memory of their own on a stream of their own, and from there to the input in the order of the context's stream.
class Feeding {
public:
    explicit Feeding(Context &ctx) : ctx_(ctx) {}
    ~Feeding();
    Feeding(const Feeding &) = delete;
    Feeding &operator=(const Feeding &) = delete;

    // data: input.nbytes() bytes, which the host may change when this returns. input is contiguous.
    void feed(const Ref<Tensor> &input, const void *data);

private:
    struct Lane {
        Ref<Stream> stream;  // after the last copy to the input
        void *staging = nullptr;
        std::size_t nbytes = 0;
    };
    Lane &lane(void *to, std::size_t nbytes);

    Context &ctx_;
    std::unordered_map<const void *, Lane> lanes_;  // by the input's address
};

}  // namespace mpt
