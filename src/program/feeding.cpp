#include "program/feeding.h"

#include "ops/together.h"
#include "ops/transfer.h"

namespace mpt {

Feeding::~Feeding() {
    for (const auto &[to, lane] : lanes_) ctx_.memory.give_exact(lane.staging, lane.nbytes);
}

// Streams and memory are made at an input's first copy, and no more behind it.
Feeding::Lane &Feeding::lane(void *to, std::size_t nbytes) {
    Lane &lane = lanes_[to];
    if (!lane.stream) lane.stream = ctx_.device->new_stream();
    if (lane.nbytes < nbytes) {
        void *staging = ctx_.memory.take_exact(nbytes, "what a program is fed");
        ctx_.memory.give_exact(lane.staging, lane.nbytes);
        lane.staging = staging;
        lane.nbytes = nbytes;
        ctx_.device->order(ctx_.stream(), lane.stream->handle());  // the host's allocator gives memory in its stream's order
    }
    return lane;
}

void Feeding::feed(const Ref<Tensor> &input, const void *data) {
    void *const stream = ctx_.stream(), *const to = input->data();
    const std::size_t nbytes = input->nbytes();
    Device &device = *ctx_.device;
    if (!device.would_wait(data, nbytes, stream)) return write(input, data);
    settle(ctx_);
    Lane &side = lane(to, nbytes);
    device.to_device(side.staging, data, nbytes, side.stream->handle());
    device.order(side.stream->handle(), stream);
    device.to_device(to, side.staging, nbytes, stream);
    device.order(stream, side.stream->handle());
    ++input->storage->version;
}

}  // namespace mpt
