// Every function of the header with wrong arguments: the rows of misuse_*_test.cpp, and a check that none is missing.
#include "api/misuse.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>

namespace misuse {

namespace {

int blocks = 0;  // that contexts of these tests have and have not given back
constexpr std::size_t kMost = std::size_t(1) << 30;

void *give(std::size_t nbytes, void *, void *) {
    if (nbytes > kMost) return nullptr;
    ++blocks;
    return std::aligned_alloc(64, (nbytes + 63) / 64 * 64);
}
void take(void *ptr, std::size_t, void *, void *) {
    --blocks;
    std::free(ptr);
}
void heard(mpt_status status, const char *message, void *side) {
    auto &to = *static_cast<Side *>(side);
    ++to.failures;
    to.status = status;
    to.message = message;
}

}  // namespace

Side::Side() {
    mpt_context_desc desc;
    MUST(mpt_context_desc_init(&desc, sizeof desc));
    desc.threads = 1;
    desc.alloc = give;
    desc.free = take;
    desc.error = heard;
    desc.error_user_data = this;
    MUST(mpt_context_create(&desc, ctx.out()));
    x = net::tensor(ctx, MPT_F32, {2, 3});
    half = net::tensor(ctx, MPT_F16, {2, 3});
    ints = net::tensor(ctx, MPT_I32, {2, 3});
    bools = net::tensor(ctx, MPT_BOOL, {2, 3});
    row = net::tensor(ctx, MPT_F32, {4});
    scalar = net::tensor(ctx, MPT_F32, {});
    weight = net::tensor(ctx, MPT_F32, {4, 3});
    image = net::tensor(ctx, MPT_F32, {1, 2, 6, 6});
    filter = net::tensor(ctx, MPT_F32, {4, 2, 3, 3});
    labels = net::tensor(ctx, MPT_I64, {2});
    for (mpt_tensor *t : {*&x.p, half.p, ints.p, bools.p, row.p, scalar.p, weight.p, image.p, filter.p, labels.p}) MUST(mpt_tensor_fill(t, 1));
    leaf = net::tensor(ctx, MPT_F32, {2, 3});
    MUST(mpt_tensor_fill(leaf, 0.5));
    MUST(mpt_tensor_set_requires_grad(leaf, 1));
    net::Tensor squares;
    MUST(mpt_mul(leaf, leaf, squares.out()));
    MUST(mpt_sum(squares, 0, nullptr, 0, loss.out()));

    mpt_linear_desc d;
    MUST(mpt_linear_desc_init(&d, sizeof d));
    d.in_features = 3;
    d.out_features = 4;
    MUST(mpt_layer_linear(ctx, &d, linear.out()));
    MUST(mpt_layer_sequential(ctx, chain.out()));
    MUST(mpt_layer_add(chain, "head", linear));
    MUST(mpt_policy_create(ctx, MPT_BF16, policy.out()));
    MUST(mpt_scaler_create(ctx, nullptr, scaler.out()));
    MUST(mpt_optimizer_sgd(ctx, nullptr, optimizer.out()));
    MUST(mpt_optimizer_add_group(optimizer, "own", &leaf.p, 1, nullptr));
    MUST(mpt_capture_begin(ctx));
    MUST(mpt_add(x, x, output.out()));
    MUST(mpt_capture_end(ctx, &output.p, 1, program.out()));
    MUST(mpt_state_create(ctx, state.out()));
    MUST(mpt_state_add_tensor(state, "x", x));
}

World::~World() {
    for (const auto &[slot, release] : made_) {
        void *handle = nullptr;
        std::memcpy(&handle, slot, sizeof handle);
        const std::vector<unsigned char> sentinels(sizeof handle, kSentinel);
        if (std::memcmp(&handle, sentinels.data(), sizeof handle) != 0) release(handle);
    }
}

bool World::untouched() const {
    for (const unsigned char c : room)
        if (c != kSentinel) return false;
    return true;
}

World &World::capture() {
    MUST(mpt_capture_begin(ctx));
    return *this;
}
World &World::backward() {
    MUST(mpt_backward(loss, scaler, MPT_GRAD_WRITE));
    return *this;
}
mpt_tensor *World::doubled() {
    mpt_tensor *y = nullptr;
    MUST(mpt_add(x, x, &y));
    void *slot = room + kSlot * used_;  // released with the world, but no output of the row
    (void)slot;
    born_ = net::Tensor(y);
    return y;
}
std::string World::saved() {
    std::string bytes;
    const auto append = [](const void *data, std::size_t n, void *to) {
        static_cast<std::string *>(to)->append(static_cast<const char *>(data), n);
        return 0;
    };
    MUST(mpt_state_save_to(state, append, &bytes));
    return bytes;
}
std::string World::path(const char *name) { return std::string(MPT_TEST_SCRATCH) + "/misuse-" + name; }

std::vector<Row> &all_rows() {
    static std::vector<Row> rows;
    return rows;
}

}  // namespace misuse
