#include "threads.h"

#include <algorithm>
#include <boost/context/fiber.hpp>
#include <boost/context/pooled_fixedsize_stack.hpp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <random>
#include <vector>

// As CUDA names them; those of the thread that runs.
uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace emulation {

namespace {

using boost::context::fiber;

constexpr std::size_t kStack = std::size_t{128} << 10, kMostShared = std::size_t{227} << 10;
constexpr unsigned kWarp = 32, kMostThreads = 1024;

struct Thread {
    enum State { Ready, AtBarrier, InWarp, Done };
    fiber context;
    uint3 id;
    State state;
    bool vote;
    unsigned lanes, from;
    unsigned char given[16], taken[16];
};

struct Block {
    std::vector<Thread> threads;
    unsigned current = 0;
    fiber scheduler;
    bool any_vote = false;
    std::vector<char> shared;
};
Block block;
std::mt19937 order(1);
std::mutex one_launch;

[[noreturn]] void give_up(const char *why) {
    std::fprintf(stderr, "emulation: block (%u, %u): %s\n", blockIdx.x, blockIdx.y, why);
    std::abort();
}

void wait(Thread::State state) {
    Thread &thread = block.threads[block.current];
    thread.state = state;
    block.scheduler = std::move(block.scheduler).resume();
}

void resume(unsigned i) {
    Thread &thread = block.threads[i];
    block.current = i;
    threadIdx = thread.id;
    thread.context = std::move(thread.context).resume();
}

// Lets lanes go on that have all come to the same exchange.
bool release_lanes(unsigned first, unsigned lane) {
    const unsigned lanes = block.threads[first + lane].lanes;
    if (!(lanes >> lane & 1)) give_up("a lane that is not in its own mask");
    for (unsigned l = 0; l < kWarp; ++l) {
        if (!(lanes >> l & 1)) continue;
        if (first + l >= block.threads.size()) give_up("a mask of lanes that do not exist");
        const Thread &other = block.threads[first + l];
        if (other.state != Thread::InWarp || other.lanes != lanes) return false;
    }
    for (unsigned l = 0; l < kWarp; ++l) {
        if (!(lanes >> l & 1)) continue;
        Thread &thread = block.threads[first + l];
        if (!(lanes >> thread.from & 1)) give_up("a lane is read that is not in the mask");
        std::memcpy(thread.taken, block.threads[first + thread.from].given, sizeof thread.taken);
    }
    for (unsigned l = 0; l < kWarp; ++l)
        if (lanes >> l & 1) block.threads[first + l].state = Thread::Ready;
    return true;
}

bool release_barrier() {
    block.any_vote = false;
    for (const Thread &thread : block.threads) {
        if (thread.state != Thread::AtBarrier) return false;
        block.any_vote |= thread.vote;
    }
    for (Thread &thread : block.threads) thread.state = Thread::Ready;
    return true;
}

void run_block(const std::function<void()> &kernel, boost::context::pooled_fixedsize_stack &stacks) {
    const auto count = static_cast<unsigned>(block.threads.size());
    std::vector<unsigned> turn(count);
    for (unsigned i = 0; i < count; ++i) {
        turn[i] = i;
        Thread &thread = block.threads[i];
        thread.id = {i % blockDim.x, i / blockDim.x % blockDim.y, i / blockDim.x / blockDim.y};
        thread.state = Thread::Ready;
        thread.context = fiber(std::allocator_arg, stacks, [&kernel](fiber &&scheduler) {
            block.scheduler = std::move(scheduler);
            kernel();
            block.threads[block.current].state = Thread::Done;
            return std::move(block.scheduler);
        });
    }
    for (;;) {
        std::shuffle(turn.begin(), turn.end(), order);
        bool moved = false;
        for (const unsigned i : turn) {
            if (block.threads[i].state != Thread::Ready) continue;
            resume(i);
            moved = true;
        }
        for (unsigned i = 0; i < count; ++i)
            if (block.threads[i].state == Thread::InWarp) moved |= release_lanes(i / kWarp * kWarp, i % kWarp);
        if (std::all_of(block.threads.begin(), block.threads.end(),
                        [](const Thread &thread) { return thread.state == Thread::Done; }))
            return;
        if (!release_barrier() && !moved) give_up("its threads wait for each other for ever");
    }
}

}  // namespace

void launch(dim3 grid, dim3 threads, std::size_t shared, cudaStream_t, const std::function<void()> &kernel) {
    const std::lock_guard lock(one_launch);
    static boost::context::pooled_fixedsize_stack stacks(kStack);
    const unsigned count = threads.x * threads.y * threads.z;
    blockIdx = {};
    if (grid.x == 0 || grid.y == 0 || grid.z != 1 || grid.y > 65535) give_up("a grid that CUDA does not launch");
    if (count == 0 || count > kMostThreads || shared > kMostShared) give_up("a block that CUDA does not launch");
    gridDim = grid;
    blockDim = threads;
    block.threads = std::vector<Thread>(count);
    for (blockIdx.y = 0; blockIdx.y < grid.y; ++blockIdx.y)
        for (blockIdx.x = 0; blockIdx.x < grid.x; ++blockIdx.x) {
            block.shared.assign(shared + 128, static_cast<char>(0xff));
            run_block(kernel, stacks);
        }
}

void *dynamic_shared() {
    const auto at = reinterpret_cast<std::uintptr_t>(block.shared.data());
    return reinterpret_cast<void *>((at + 127) / 128 * 128);
}

bool barrier(bool vote) {
    block.threads[block.current].vote = vote;
    wait(Thread::AtBarrier);
    return block.any_vote;
}

void exchange(unsigned lanes, unsigned from, const void *given, void *taken, std::size_t nbytes) {
    const unsigned i = block.current;
    Thread &thread = block.threads[i];
    thread.lanes = lanes;
    thread.from = from % kWarp;
    std::memcpy(thread.given, given, nbytes);
    wait(Thread::InWarp);
    std::memcpy(taken, block.threads[i].taken, nbytes);
}

unsigned lane() {
    return block.current % kWarp;
}

}  // namespace emulation
