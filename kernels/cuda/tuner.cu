#include "tuner.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <limits>
#include <optional>

#include "kernel.h"
#include "unconcerned.h"

namespace mpt::cuda {
namespace {

constexpr const char *kFormat = "mpt tuned 1";
constexpr int kTrials = 3, kMostRepeats = 16;
constexpr float kTrialMilliseconds = 0.5f;

// Random finite numbers in each of the formats, none beyond 2: the second bit, the highest of the exponent in all of them, is 0. What is
// in the memory matters, since constant operands take less power and run faster.
__global__ void fill(std::uint32_t *words, std::size_t count) {
    const std::size_t step = std::size_t{gridDim.x} * blockDim.x;
    for (std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step) {
        auto x = static_cast<std::uint32_t>(i) * 0x9e3779b9u;
        x = (x ^ (x >> 16)) * 0x85ebca6bu;
        x = (x ^ (x >> 13)) * 0xc2b2ae35u;
        words[i] = (x ^ (x >> 16)) & 0xbfbfbfbfu;
    }
}

// Memory to try in. It comes from the runtime, not from the host's allocator, and is given back at once.
class Blocks {
public:
    Blocks(const std::vector<std::size_t> &bytes, cudaStream_t stream) {
        for (const std::size_t n : bytes) {
            void *block = nullptr;
            const std::size_t words = (n + 3) / 4;
            if (words != 0 && cudaMalloc(&block, words * 4) != cudaSuccess) {
                cudaGetLastError();
                failed = true;
                return;
            }
            list.push_back(block);
            if (words == 0) continue;
            fill<<<1024, 256, 0, stream>>>(static_cast<std::uint32_t *>(block), words);
            check_launch("tuning");
        }
    }
    ~Blocks() {
        for (void *block : list) cudaFree(block);
    }
    Blocks(const Blocks &) = delete;
    Blocks &operator=(const Blocks &) = delete;

    std::vector<void *> list;
    bool failed = false;
};

class Stopwatch {
public:
    Stopwatch() {
        check(cudaEventCreate(&begin_), "cudaEventCreate");
        check(cudaEventCreate(&end_), "cudaEventCreate");
    }
    ~Stopwatch() {
        if (begin_) cudaEventDestroy(begin_);
        if (end_) cudaEventDestroy(end_);
    }
    Stopwatch(const Stopwatch &) = delete;
    Stopwatch &operator=(const Stopwatch &) = delete;

    template <class Body>
    float milliseconds(cudaStream_t stream, int repeats, const Body &body) const {
        check(cudaEventRecord(begin_, stream), "tuning");
        for (int i = 0; i < repeats; ++i) body();
        check(cudaEventRecord(end_, stream), "tuning");
        check(cudaEventSynchronize(end_), "tuning");
        float ms = 0;
        check(cudaEventElapsedTime(&ms, begin_, end_), "tuning");
        return ms / static_cast<float>(repeats);
    }

private:
    cudaEvent_t begin_ = nullptr, end_ = nullptr;
};

// Infinite for a way that cannot run.
float time_of(const Stopwatch &watch, cudaStream_t stream, const std::function<void()> &enqueue) try {
    enqueue();  // loads its code
    const float once = watch.milliseconds(stream, 1, enqueue);
    const int repeats = std::clamp(static_cast<int>(kTrialMilliseconds / std::max(once, 1e-3f)), 1, kMostRepeats);
    float least = once;
    for (int trial = 0; trial < kTrials; ++trial) least = std::min(least, watch.milliseconds(stream, repeats, enqueue));
    return least;
} catch (const Failure &failure) {
    if (failure.status == MPT_ERROR_DEVICE_LOST) throw;
    return std::numeric_limits<float>::infinity();
}

int try_all(int ways, const std::vector<std::size_t> &bytes, cudaStream_t stream, const Tuner::Enqueue &enqueue) {
    const Unconcerned unconcerned;
    const Blocks memory(bytes, stream);
    if (memory.failed) return 0;
    const Stopwatch watch;
    int best = 0;
    float least = std::numeric_limits<float>::infinity();
    for (int way = 0; way < ways; ++way) {
        const float ms = time_of(watch, stream, [&] { enqueue(way, memory.list, stream); });
        if (ms < least) least = ms, best = way;
    }
    check(cudaStreamSynchronize(stream), "tuning");
    return best;
}

}  // namespace

int Tuner::fastest(const std::string &key, int ways, const std::vector<std::size_t> &bytes, cudaStream_t stream, const Enqueue &enqueue) {
    if (!on || ways < 2) return 0;
    if (const auto known = found_.find(key); known != found_.end() && known->second < ways) return known->second;
    const int best = try_all(ways, bytes, stream, enqueue);
    found_[key] = best;
    if (!path_.empty()) write();
    return best;
}

void Tuner::keep_in(const std::string &path) {
    if (!path.empty()) {
        // Asked now, while there is somebody to tell.
        std::FILE *file = std::fopen(path.c_str(), "a");
        if (!file)
            throw Failure{MPT_ERROR_IO, "argument 'value' is '" + path + "': 'tune_cache' cannot be written there: name a file in a folder that exists"};
        std::fclose(file);
        for (const auto &[key, way] : read(path)) found_.insert_or_assign(key, way);
    }
    path_ = path;
}

Tuner::Found Tuner::read(const std::string &path) const {
    Found found;
    std::ifstream file(path);
    std::string line;
    if (!std::getline(file, line) || line != kFormat || !std::getline(file, line) || line != versions_) return found;
    while (std::getline(file, line)) {
        const std::size_t tab = line.find('\t');
        if (tab == std::string::npos) continue;
        const std::string number = line.substr(tab + 1);
        if (!number.empty() && number.size() < 4 && number.find_first_not_of("0123456789") == std::string::npos)
            found[line.substr(0, tab)] = std::stoi(number);
    }
    return found;
}

// Another process may have added to it, and may be reading it: so it is read again, and replaced as a whole. A tuner that cannot write goes
// on without, as the file only saves time.
void Tuner::write() const {
    Found all = read(path_);
    for (const auto &[key, way] : found_) all.insert_or_assign(key, way);
    const std::string next = path_ + "." + std::to_string(getpid());
    {
        std::ofstream file(next, std::ios::trunc);
        file << kFormat << '\n' << versions_ << '\n';
        for (const auto &[key, way] : all) file << key << '\t' << way << '\n';
        file.close();
        if (!file) {
            std::remove(next.c_str());
            return;
        }
    }
    if (std::rename(next.c_str(), path_.c_str()) != 0) std::remove(next.c_str());
}

}  // namespace mpt::cuda
