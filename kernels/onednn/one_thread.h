// oneDNN asks OpenMP how many threads it may use, when a primitive is made and when it runs. The answer here is
// always one: OpenMP's own threads spin between calls and would fight the CPU module's pool for the cores.
#pragma once

// Two functions of the OpenMP runtime that oneDNN itself runs on; <omp.h> may be the compiler's, of another runtime.
extern "C" {
void omp_set_num_threads(int count);
int omp_get_max_threads(void);
}

namespace mpt::onednn {

// The setting belongs to the calling thread alone and is put back, so a host that uses OpenMP sees no change.
class OneThread {
public:
    OneThread() : before_(omp_get_max_threads()) {
        if (before_ != 1) omp_set_num_threads(1);
    }
    ~OneThread() {
        if (before_ != 1) omp_set_num_threads(before_);
    }
    OneThread(const OneThread &) = delete;
    OneThread &operator=(const OneThread &) = delete;

private:
    int before_;
};

}  // namespace mpt::onednn
