// Without memory: calls that fail anyway, releases, and what a failed backward leaves. And that the failures reach the modules.
#include <cstring>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "memory/net.h"

using namespace memory;

namespace {
constexpr Options kMlp{};
}

TEST(Injection, ReachesTheModules) {
    Net net({.cnn = true, .precision = MPT_F32, .onednn = true});
    Loop loop;
    net.build(loop);
    MUST(loop.go());
    inject::arm(inject::Source::Heap, inject::Mode::Once, 1);  // looks which libraries there are
    inject::disarm();
    char text[512];
    MUST(mpt_context_describe(net.ctx, text, sizeof text, nullptr));
    std::vector<const char *> libraries{"libmpt.so", "libmpt_cpu"};
    if (std::strstr(text, "oneDNN")) libraries.push_back("libmpt_onednn");
    std::vector<long> before;
    for (const char *library : libraries) before.push_back(inject::heap_allocations_of(library));
    Loop step;
    net.step(step);
    MUST(step.go());
    for (std::size_t i = 0; i < libraries.size(); ++i)
        EXPECT_GT(inject::heap_allocations_of(libraries[i]), before[i]) << libraries[i];
}

TEST(NoMemory, AWrongCallStillReturnsAndSaysWhichItWas) {
    mpt_dtype dtype;
    for (long n = 1;; ++n) {
        inject::arm(inject::Source::Heap, inject::Mode::FromThere, n);
        const mpt_status status = mpt_tensor_dtype(nullptr, &dtype);
        const bool reached = inject::disarm() != inject::Outcome::NotReached;
        EXPECT_TRUE(status == MPT_ERROR_ARGUMENT || (reached && status == MPT_ERROR_MEMORY)) << mpt_status_name(status);
        EXPECT_EQ(0, std::strncmp(mpt_last_error(), "mpt_tensor_dtype: ", 18)) << mpt_last_error();
        if (!reached) break;
        ASSERT_LT(n, 100);
    }
}

// A last release that finds its context in use leaves the object to the thread inside.
TEST(NoMemory, AReleaseOnAnotherThreadNeedsNone) {
    Net net(kMlp);
    Loop loop;
    net.build(loop);
    net.step(loop);
    State state;
    loop.add([&] { return mpt_state_create(net.ctx, state.out()); });
    loop.add([&] { return mpt_state_set_number(state, "n", 1); });
    MUST(loop.go());
    net.loss = Tensor();  // its graph
    MUST(mpt_context_trim(net.ctx));
    const long before = inject::live(inject::Source::Hook);
    inject::Outcome outcome = inject::Outcome::Failed;
    struct Inside {
        Net &net;
        inject::Outcome &outcome;
    } inside{net, outcome};
    MUST(mpt_state_save_to(
        state,
        [](const void *, size_t, void *user) {
            auto &in = *static_cast<Inside *>(user);
            std::thread([&in] {
                inject::arm(inject::Source::Heap, inject::Mode::FromThere, 1);
                in.net.x = Tensor();
                in.outcome = inject::disarm();
            }).join();
            return 0;
        },
        &inside));
    EXPECT_EQ(inject::Outcome::NotReached, outcome);
    MUST(mpt_context_trim(net.ctx));
    EXPECT_EQ(before - 1, inject::live(inject::Source::Hook)) << "the tensor's memory is still there";
}

// The graph of a backward that failed is used up, or whole as its gradients are: never can a sum be added twice.
TEST(NoMemory, ABackwardThatFailedAddsNothingTwice) {
    bool used_up = false;
    for (long n = 1;; ++n) {
        Net net(kMlp);
        MUST(net.open());
        Tensor a, b, product;
        for (Tensor *leaf : {&a, &b}) {
            MUST(mpt_tensor_create(net.ctx, MPT_F32, 0, nullptr, leaf->out()));
            MUST(mpt_tensor_fill(*leaf, leaf == &a ? 3 : 5));
            MUST(mpt_tensor_set_requires_grad(*leaf, 1));
        }
        MUST(mpt_mul(a, b, product.out()));
        inject::arm(inject::Source::Heap, inject::Mode::Once, n);
        const mpt_status first = mpt_backward(product, nullptr, MPT_GRAD_ADD);
        if (inject::disarm() == inject::Outcome::NotReached) break;
        const mpt_status second = first == MPT_OK ? first : mpt_backward(product, nullptr, MPT_GRAD_ADD);
        if (second == MPT_ERROR_STALE) {
            used_up = true;
            continue;
        }
        MUST(second);
        for (Tensor *leaf : {&a, &b}) {
            Tensor gradient;
            double value = 0;
            MUST(mpt_tensor_grad(*leaf, gradient.out()));
            MUST(mpt_tensor_item(gradient, &value));
            EXPECT_EQ(leaf == &a ? 5 : 3, value) << "allocation " << n;
        }
    }
    EXPECT_TRUE(used_up);
}
