// Threads of the process for the work of one operation, which says how many it wants. None
// until kb_provide_threads.
#pragma once
#include <stddef.h>

#pragma clang assume_nonnull begin

// Does the work for first ..< end.
typedef void (*kb_task)(void *context, size_t first, size_t end);

// Sees to it that so many threads can work at once, the caller's own included. Returns how many of them can.
size_t kb_provide_threads(size_t threads);

// Does the work for 0 ..< count, cut into as many ranges as threads are asked for, always in the same
// places, and returns when all of it is done. While the threads work for one caller, another's work
// is done by itself alone.
void kb_parallel(size_t threads, size_t count, kb_task task, void *context);

#pragma clang assume_nonnull end
