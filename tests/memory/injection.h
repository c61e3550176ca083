// Allocations that fail on demand: the C++ heap of the whole process (operator new is replaced), and the allocator that a host
// hands to mpt_context_create.
#pragma once

#include "mpt.h"

namespace inject {

enum class Source { Heap, Hook };
enum class Mode {
    Once,       // the n-th alone: is what comes after it in order?
    FromThere,  // the n-th and all that follow: does the way out need memory?
};

// Counts the allocations of this thread from here on and fails the n-th (from 1). Allocations by oneDNN for itself do not
// count: what it does about a failure is its own affair.
void arm(Source source, Mode mode, long n);
// What came of it. Optional: asked for with std::nothrow, by code that can do without (std::stable_sort's buffer).
enum class Outcome { NotReached, Failed, FailedOptional };
Outcome disarm();

// What is allocated and not freed, on all threads.
long live(Source source);

// For mpt_context_desc.
void *MPT_CALL hook_alloc(size_t nbytes, void *stream, void *user_data);
void MPT_CALL hook_free(void *ptr, size_t nbytes, void *stream, void *user_data);

// The calls of operator new since the process began from code of the library whose file name contains `name`.
long heap_allocations_of(const char *name);

}  // namespace inject
