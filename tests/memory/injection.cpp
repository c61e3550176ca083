#include "memory/injection.h"

#include <link.h>
#include <unwind.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

namespace inject {

namespace {

// A loaded library's code, with the calls of operator new that came from it. No allocation anywhere here: this is the allocator.
struct Library {
    char name[64];
    bool own, standard, onednn;  // this program, the C++ library, oneDNN
    std::uintptr_t begin, end;
    std::atomic<long> allocations;
};
Library libraries[64];
std::atomic<int> library_count{0};

int note(dl_phdr_info *info, std::size_t, void *) {
    const char *slash = std::strrchr(info->dlpi_name, '/');
    const char *name = slash ? slash + 1 : info->dlpi_name;
    for (int i = 0; i < info->dlpi_phnum; ++i) {
        const auto &part = info->dlpi_phdr[i];
        if (part.p_type != PT_LOAD || !(part.p_flags & PF_X)) continue;
        const std::uintptr_t begin = info->dlpi_addr + part.p_vaddr;
        const int n = library_count.load();
        for (int k = 0; k < n; ++k)
            if (libraries[k].begin == begin) return 0;
        if (n == 64) return 1;
        std::strncpy(libraries[n].name, name, sizeof libraries[n].name - 1);
        libraries[n].own = n == 0;
        libraries[n].standard = std::strstr(name, "libstdc++");
        libraries[n].onednn = std::strstr(name, "libdnnl");
        libraries[n].begin = begin;
        libraries[n].end = begin + part.p_memsz;
        library_count.store(n + 1);
    }
    return 0;
}

Library *library_of(std::uintptr_t code) {
    const int n = library_count.load();
    for (int i = 0; i < n; ++i)
        if (code >= libraries[i].begin && code < libraries[i].end) return &libraries[i];
    return nullptr;
}

// The first code on the way up that is neither the C++ library's nor this program's.
_Unwind_Reason_Code look_up(_Unwind_Context *frame, void *result) {
    Library *library = library_of(_Unwind_GetIP(frame));
    if (!library || library->own || library->standard) return _URC_NO_REASON;
    *static_cast<Library **>(result) = library;
    return _URC_END_OF_STACK;
}

struct Armed {
    Source source;
    Mode mode;
    long n, seen;
    bool failed, failed_must;  // any; any that was not optional
};
thread_local Armed armed{};  // n 0: not armed
std::atomic<long> live_counts[2];

bool fails(Source source, bool optional) {
    if (armed.n == 0 || armed.source != source) return false;
    ++armed.seen;
    if (armed.mode == Mode::Once ? armed.seen != armed.n : armed.seen < armed.n) return false;
    armed.failed = true;
    armed.failed_must = armed.failed_must || !optional;
    return true;
}

void *heap(std::size_t nbytes, std::size_t alignment, void *caller, bool optional) {
    Library *library = library_of(reinterpret_cast<std::uintptr_t>(caller));
    if (library) library->allocations.fetch_add(1, std::memory_order_relaxed);
    if (armed.n != 0) {
        if (library && library->standard) _Unwind_Backtrace(look_up, &library);
        if (!(library && library->onednn) && fails(Source::Heap, optional)) return nullptr;
    }
    if (nbytes == 0) nbytes = 1;
    void *ptr =
        alignment == 0 ? std::malloc(nbytes) : std::aligned_alloc(alignment, (nbytes + alignment - 1) / alignment * alignment);
    if (ptr) live_counts[static_cast<int>(Source::Heap)].fetch_add(1, std::memory_order_relaxed);
    return ptr;
}

void *heap_or_throw(std::size_t nbytes, std::size_t alignment, void *caller) {
    if (void *ptr = heap(nbytes, alignment, caller, false)) return ptr;
    throw std::bad_alloc();
}

void give_back(void *ptr) {
    if (ptr) live_counts[static_cast<int>(Source::Heap)].fetch_sub(1, std::memory_order_relaxed);
    std::free(ptr);
}

}  // namespace

void arm(Source source, Mode mode, long n) {
    dl_iterate_phdr(note, nullptr);  // modules are opened as they are needed
    armed = {source, mode, n, 0, false, false};
}

Outcome disarm() {
    const Outcome outcome = !armed.failed ? Outcome::NotReached : armed.failed_must ? Outcome::Failed : Outcome::FailedOptional;
    armed = {};
    return outcome;
}

long live(Source source) {
    return live_counts[static_cast<int>(source)].load();
}

void *MPT_CALL hook_alloc(size_t nbytes, void *, void *) {
    if (fails(Source::Hook, false)) return nullptr;
    void *ptr = std::aligned_alloc(64, (nbytes + 63) / 64 * 64);
    if (ptr) live_counts[static_cast<int>(Source::Hook)].fetch_add(1, std::memory_order_relaxed);
    return ptr;
}

void MPT_CALL hook_free(void *ptr, size_t, void *, void *) {
    live_counts[static_cast<int>(Source::Hook)].fetch_sub(1, std::memory_order_relaxed);
    std::free(ptr);
}

long heap_allocations_of(const char *name) {
    long count = 0;
    const int n = library_count.load();
    for (int i = 0; i < n; ++i)
        if (std::strstr(libraries[i].name, name)) count += libraries[i].allocations.load();
    return count;
}

}  // namespace inject

#define CALLER __builtin_return_address(0)
#define NOINLINE __attribute__((noinline))

NOINLINE void *operator new(std::size_t n) {
    return inject::heap_or_throw(n, 0, CALLER);
}
NOINLINE void *operator new[](std::size_t n) {
    return inject::heap_or_throw(n, 0, CALLER);
}
NOINLINE void *operator new(std::size_t n, const std::nothrow_t &) noexcept {
    return inject::heap(n, 0, CALLER, true);
}
NOINLINE void *operator new[](std::size_t n, const std::nothrow_t &) noexcept {
    return inject::heap(n, 0, CALLER, true);
}
NOINLINE void *operator new(std::size_t n, std::align_val_t a) {
    return inject::heap_or_throw(n, static_cast<std::size_t>(a), CALLER);
}
NOINLINE void *operator new[](std::size_t n, std::align_val_t a) {
    return inject::heap_or_throw(n, static_cast<std::size_t>(a), CALLER);
}
NOINLINE void *operator new(std::size_t n, std::align_val_t a, const std::nothrow_t &) noexcept {
    return inject::heap(n, static_cast<std::size_t>(a), CALLER, true);
}
NOINLINE void *operator new[](std::size_t n, std::align_val_t a, const std::nothrow_t &) noexcept {
    return inject::heap(n, static_cast<std::size_t>(a), CALLER, true);
}
void operator delete(void *p) noexcept {
    inject::give_back(p);
}
void operator delete[](void *p) noexcept {
    inject::give_back(p);
}
void operator delete(void *p, std::size_t) noexcept {
    inject::give_back(p);
}
void operator delete[](void *p, std::size_t) noexcept {
    inject::give_back(p);
}
void operator delete(void *p, const std::nothrow_t &) noexcept {
    inject::give_back(p);
}
void operator delete[](void *p, const std::nothrow_t &) noexcept {
    inject::give_back(p);
}
void operator delete(void *p, std::align_val_t) noexcept {
    inject::give_back(p);
}
void operator delete[](void *p, std::align_val_t) noexcept {
    inject::give_back(p);
}
void operator delete(void *p, std::size_t, std::align_val_t) noexcept {
    inject::give_back(p);
}
void operator delete[](void *p, std::size_t, std::align_val_t) noexcept {
    inject::give_back(p);
}
void operator delete(void *p, std::align_val_t, const std::nothrow_t &) noexcept {
    inject::give_back(p);
}
void operator delete[](void *p, std::align_val_t, const std::nothrow_t &) noexcept {
    inject::give_back(p);
}
