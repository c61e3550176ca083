#include "tuner.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
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
    explicit Blocks(std::size_t count) { list.reserve(count); }
    ~Blocks() {
        for (void *block : list) cudaFree(block);
    }
    Blocks(const Blocks &) = delete;
    Blocks &operator=(const Blocks &) = delete;

    // False where there is no memory.
    bool add(std::size_t bytes, cudaStream_t stream) {
        const std::size_t words = (bytes + 3) / 4;
        void *block = nullptr;
        if (words != 0) {
            const cudaError_t status = cudaMalloc(&block, words * 4);
            if (status == cudaErrorMemoryAllocation) {
                cudaGetLastError();
                return false;
            }
            check(status, "tuning");
        }
        list.push_back(block);
        if (block) {
            fill<<<1024, 256, 0, stream>>>(static_cast<std::uint32_t *>(block), words);
            check_launch("tuning");
        }
        return true;
    }

    std::vector<void *> list;
};

class Stream {
public:
    Stream() { check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate"); }
    ~Stream() { cudaStreamDestroy(stream_); }
    Stream(const Stream &) = delete;
    Stream &operator=(const Stream &) = delete;
    operator cudaStream_t() const { return stream_; }

private:
    cudaStream_t stream_ = nullptr;
};

class Event {
public:
    Event() { check(cudaEventCreate(&event_), "cudaEventCreate"); }
    ~Event() { cudaEventDestroy(event_); }
    Event(const Event &) = delete;
    Event &operator=(const Event &) = delete;
    operator cudaEvent_t() const { return event_; }

private:
    cudaEvent_t event_ = nullptr;
};

class Stopwatch {
public:
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
    Event begin_, end_;
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

// Nothing where nothing could be measured.
std::optional<int> try_all(int ways, const std::vector<std::size_t> &bytes, cudaStream_t busy, const Tuner::Enqueue &enqueue) {
    const Unconcerned unconcerned;
    cudaStreamCaptureStatus captured = cudaStreamCaptureStatusNone;
    check(cudaStreamIsCapturing(busy, &captured), "tuning");
    if (captured == cudaStreamCaptureStatusNone) check(cudaStreamSynchronize(busy), "tuning");
    const Stream stream;
    Blocks memory(bytes.size());
    for (const std::size_t n : bytes)
        if (!memory.add(n, stream)) return std::nullopt;
    const Stopwatch watch;
    std::optional<int> best;
    float least = std::numeric_limits<float>::infinity();
    for (int way = 0; way < ways; ++way) {
        const float ms = time_of(watch, stream, [&] { enqueue(way, memory.list, stream); });
        if (ms < least) least = ms, best = way;
    }
    check(cudaStreamSynchronize(stream), "tuning");
    return best;
}

// The name of a new, empty file beside the other; empty where there can be none.
std::string file_beside(const std::string &path) {
    std::string name = path + ".XXXXXX";
    const int file = mkstemp(name.data());
    if (file < 0) return {};
    close(file);
    return name;
}

bool begins_well(const std::string &path) {
    std::ifstream file(path);
    std::string line;
    return !file || !std::getline(file, line) || line == kFormat;
}

}  // namespace

int Tuner::fastest(const std::string &key, int ways, const std::vector<std::size_t> &bytes, cudaStream_t busy, const Enqueue &enqueue) {
    if (!on || ways < 2) return 0;
    // A way that could not be made this time would shift the others' numbers.
    const std::string whole = key + ", of " + std::to_string(ways);
    const auto known = [&](const Found &found) {
        const auto entry = found.find(whole);
        return entry != found.end() && entry->second < ways ? std::optional(entry->second) : std::nullopt;
    };
    if (const std::optional<int> way = known(found_)) return *way;
    if (!path_.empty())  // another process may have tried meanwhile
        if (const std::optional<int> way = known(read())) return found_[whole] = *way;
    const std::optional<int> best = try_all(ways, bytes, busy, enqueue);
    if (!best) return 0;
    found_[whole] = *best;
    if (!path_.empty()) write();
    return *best;
}

void Tuner::keep_in(const std::string &path) {
    if (path.empty()) {
        path_.clear();
        return;
    }
    std::error_code error;
    const std::string whole = std::filesystem::absolute(path, error).string();
    if (error || !begins_well(whole))
        throw Failure{MPT_ERROR_IO, "argument 'value' is '" + path + "': that is a file of another kind, which 'tune_cache' leaves alone: name a new one"};
    // Asked now, while there is somebody to tell.
    const std::string next = file_beside(whole);
    if (next.empty())
        throw Failure{MPT_ERROR_IO, "argument 'value' is '" + path + "': 'tune_cache' cannot write there: name a file in a folder that exists and may be written"};
    std::remove(next.c_str());
    path_ = whole;
    for (const auto &[key, way] : read()) found_.insert_or_assign(key, way);
}

// Lines are versions, key and number, with tabs between.
Tuner::Found Tuner::read(std::vector<std::string> *others) const {
    Found found;
    std::ifstream file(path_);
    std::string line;
    if (!std::getline(file, line) || line != kFormat) return found;
    while (std::getline(file, line)) {
        const std::size_t first = line.find('\t'), last = line.rfind('\t');
        if (first == last) continue;
        const std::string number = line.substr(last + 1);
        if (line.substr(0, first) != versions_) {
            if (others) others->push_back(line);
        } else if (!number.empty() && number.size() < 4 && number.find_first_not_of("0123456789") == std::string::npos) {
            found[line.substr(first + 1, last - first - 1)] = std::stoi(number);
        }
    }
    return found;
}

// Other processes may have added to it, and may be reading it: so it is read again, what it says stands, and it is replaced as a whole. A tuner
// that cannot write goes on without, as the file only saves time.
void Tuner::write() {
    std::vector<std::string> others;
    Found all = read(&others);
    all.insert(found_.begin(), found_.end());
    const std::string next = begins_well(path_) ? file_beside(path_) : std::string();
    if (next.empty()) return;
    {
        std::ofstream file(next, std::ios::trunc);
        file << kFormat << '\n';
        for (const std::string &line : others) file << line << '\n';
        for (const auto &[key, way] : all) file << versions_ << '\t' << key << '\t' << way << '\n';
        file.close();
        if (!file) {
            std::remove(next.c_str());
            return;
        }
    }
    if (std::rename(next.c_str(), path_.c_str()) != 0) std::remove(next.c_str());
    found_ = std::move(all);
}

}  // namespace mpt::cuda
