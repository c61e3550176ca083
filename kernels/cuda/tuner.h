// Which of several ways to compute the same thing is the fastest here: by trying them, once for each key, when the context's option
// "tune" is on. What was found can be kept in a file of the host's choice, so that later processes need not try again and compute
// with the same algorithms, which is to say the same bits.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace mpt::cuda {

class Tuner {
public:
    // versions: of the device, its driver and libraries, and mpt; what a file says of others is left alone.
    explicit Tuner(std::string versions) : versions_(std::move(versions)) {}

    bool on = false;
    // Reads the file, which need not be there yet, and adds to it from then on; empty: no file. Failure where the file is of another kind, or
    // none can be made in its folder.
    void keep_in(const std::string &path);

    // Enqueues way number `way` over the given memory; throws Failure where it cannot.
    using Enqueue = std::function<void(int way, const std::vector<void *> &memory, cudaStream_t stream)>;
    // The fastest of so many ways over blocks of device memory of these sizes, or 0, which is the libraries' own choice, where it is off,
    // where there is nothing to choose, and where there is no memory to try in. key: all that decides, on one line. Waits for what is on
    // `busy`, unless that is being captured, and tries on a stream of its own.
    int fastest(const std::string &key, int ways, const std::vector<std::size_t> &bytes, cudaStream_t busy, const Enqueue &enqueue);

private:
    using Found = std::map<std::string, int>;
    // Of these versions; the lines of others, as they are, into *others.
    Found read(std::vector<std::string> *others = nullptr) const;
    void write();

    std::string versions_, path_;
    Found found_;
};

}  // namespace mpt::cuda
