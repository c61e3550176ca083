// What a training step does when memory runs out, for every allocation that it makes, one after the other: the call says
// MPT_ERROR_MEMORY, nothing leaks, and the same step done again gives the bits that it would have given.
#include <cmath>
#include <cstring>
#include <string>

#include "gtest/gtest.h"
#include "memory/net.h"

using namespace memory;

namespace {

struct Scenario {
    const char *name;
    Options options;
    // Done without failures, and then with them.
    void (*before)(Net &, Loop &);
    void (*inside)(Net &, Loop &);
};

void built(Net &net, Loop &loop) {
    net.build(loop);
}
void trained(Net &net, Loop &loop) {
    net.build(loop);
    net.step(loop);
}
void nothing(Net &, Loop &) {}
void one_step(Net &net, Loop &loop) {
    net.step(loop);
}
void same_graph(Net &net, Loop &loop) {
    net.step_with_the_same_graph(loop);
}
void accumulated(Net &net, Loop &loop) {
    net.accumulated_step(loop);
}
void two_steps(Net &net, Loop &loop) {
    net.step(loop);
    net.step(loop);
}
void captured(Net &net, Loop &loop) {
    net.captured_step(loop);
}
void checkpoint(Net &net, Loop &loop) {
    net.fill_state(loop, net.state);
    loop.add([&net] { return net.save(net.state, net.sink); });
    net.step(loop);  // away from what was saved, the data as well
    loop.add([&net] { return mpt_tensor_fill(net.x, 0.5); });
    net.load_call = static_cast<std::size_t>(loop.size());
    loop.add([&net] { return net.load(net.state, net.sink); });
    net.step(loop);
}

constexpr Options kCnn{.cnn = true}, kMlp{};
constexpr Options kMasters{
    .precision = MPT_F16, .parameters = MPT_F16, .sgd = true, .clip = 0.1};  // f32 masters, momentum, clipping
constexpr Options kCnnMasters{.cnn = true, .precision = MPT_F16, .parameters = MPT_F16, .clip = 0.1};
constexpr Options kFp8{.parameters = MPT_BF16, .fp8 = true};
constexpr Options kOneDnn{.cnn = true, .precision = MPT_F32, .onednn = true};

const Scenario kScenarios[] = {
    {"cnn_creation", {.cnn = true, .threads = 2}, nothing, built},
    {"cnn_eager", kCnn, built, one_step},
    {"cnn_eager_second_step", kCnn, trained, one_step},
    {"cnn_backward_again", kCnn, built, same_graph},
    {"cnn_accumulated", kCnnMasters, built, accumulated},
    {"cnn_captured", kCnn, built, captured},
    {"cnn_onednn", kOneDnn, built, one_step},
    {"mlp_eager", kMlp, built, one_step},
    {"mlp_masters_eager", kMasters, built, one_step},
    {"mlp_masters_captured", kMasters, built, captured},
    {"mlp_fp8_eager", kFp8, built, two_steps},
    {"mlp_fp8_captured", kFp8, built, captured},
    {"mlp_masters_checkpoint", kMasters, trained, checkpoint},  // saved, trained on, loaded, trained on
};

// What an undisturbed run leaves.
struct Result {
    std::string bytes;
    double loss;
    std::string before_load;
};

Result finish(Net &net) {
    Loop more;
    if (!net.loss) net.step(more);
    if (more.size() > 0) MUST(more.go());
    return {net.snapshot(), net.loss_value(), {}};
}

// Every allocation; with the address sanitizer, which makes a round ten times as long, every fifth.
#ifdef __SANITIZE_ADDRESS__
constexpr long kHeapStride = 5;
#else
constexpr long kHeapStride = 1;
#endif

class Allocation : public testing::TestWithParam<Scenario> {
protected:
    // Fails allocation n, does the step again and compares. False when there is no n-th allocation.
    bool round(const Result &expected, inject::Source source, inject::Mode mode, long n) {
        const long heap = inject::live(inject::Source::Heap), hook = inject::live(inject::Source::Hook);
        inject::Outcome outcome;
        {
            Net net(GetParam().options);
            Loop before, inside;
            GetParam().before(net, before);
            MUST(before.go());
            GetParam().inside(net, inside);
            inject::arm(source, mode, n);
            const mpt_status status = inside.go();
            outcome = inject::disarm();
            if (status == MPT_OK) {
                done_without += outcome == inject::Outcome::Failed;
            } else {
                ++refused;
                EXPECT_EQ(MPT_ERROR_MEMORY, status) << mpt_last_error();
                EXPECT_EQ(0, std::strncmp(mpt_last_error(), "mpt_", 4)) << mpt_last_error();
                EXPECT_TRUE(net.reported == MPT_ERROR_MEMORY || !net.ctx) << "the error hook did not fire";
                EXPECT_EQ(MPT_OK, net.abort_status);
                if (inside.failed == net.load_call) {
                    EXPECT_TRUE(expected.before_load == net.snapshot()) << "a load that failed has changed something";
                }
                MUST(inside.go());
            }
            const Result result = finish(net);
            EXPECT_TRUE(std::isfinite(result.loss));
            EXPECT_EQ(expected.loss, result.loss);
            EXPECT_TRUE(expected.bytes == result.bytes) << "other bits than without the failure";
            if (testing::Test::HasFailure()) ADD_FAILURE() << "call " << inside.failed << " of the step";
        }
        EXPECT_EQ(heap, inject::live(inject::Source::Heap)) << "a leak";
        EXPECT_EQ(hook, inject::live(inject::Source::Hook)) << "a leak of the host's memory";
        return outcome != inject::Outcome::NotReached;
    }

    void every_allocation(inject::Source source, inject::Mode mode) {
        const Result expected = undisturbed();
        const long stride = source == inject::Source::Heap ? kHeapStride : 1;
        for (long n = 1; round(expected, source, mode, n); n += stride) {
            ++count;
            if (testing::Test::HasFailure()) FAIL() << "allocation " << n;
        }
        EXPECT_GT(count, 4) << "hardly an allocation was seen";
        RecordProperty("allocations", static_cast<int>(count));
        RecordProperty("refused", static_cast<int>(refused));
        RecordProperty("done_without", static_cast<int>(done_without));
    }

    Result undisturbed() {
        Result expected;
        // Twice: caches of the process itself, such as a thread's last message, are made now.
        for (int i = 0; i < 2; ++i) {
            Net net(GetParam().options);
            Loop loop;
            GetParam().before(net, loop);
            GetParam().inside(net, loop);
            std::string before_load;
            if (net.load_call != SIZE_MAX) {
                MUST(loop.go(net.load_call));
                before_load = net.snapshot();
            }
            MUST(loop.go());
            expected = finish(net);
            expected.before_load = before_load;
            mpt_tensor_dtype(nullptr, nullptr);
        }
        return expected;
    }

    long count = 0, refused = 0, done_without = 0;
};

void PrintTo(const Scenario &scenario, std::ostream *out) {
    *out << scenario.name;
}
std::string label(const testing::TestParamInfo<Scenario> &info) {
    return info.param.name;
}

}  // namespace

TEST_P(Allocation, OfTheHeapFailsOnce) {
    every_allocation(inject::Source::Heap, inject::Mode::Once);
    EXPECT_LT(done_without, count / 20) << "only the cache's note of a free block can be done without";
}

TEST_P(Allocation, OfTheHeapFailsFromThereOn) {
    every_allocation(inject::Source::Heap, inject::Mode::FromThere);
    EXPECT_GT(refused, count * 9 / 10);
}

// The first failure empties the cache of free blocks, and the second try succeeds.
TEST_P(Allocation, OfTheHostFailsOnce) {
    every_allocation(inject::Source::Hook, inject::Mode::Once);
    EXPECT_EQ(0, refused);
}

TEST_P(Allocation, OfTheHostFailsFromThereOn) {
    every_allocation(inject::Source::Hook, inject::Mode::FromThere);
    EXPECT_EQ(count, refused);
}

INSTANTIATE_TEST_SUITE_P(Every, Allocation, testing::ValuesIn(kScenarios), label);
