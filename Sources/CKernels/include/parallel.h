// Threads of the process for the work of one operation. Off until kb_use_threads is called.
#pragma once
#include <stddef.h>

#pragma clang assume_nonnull begin

// Does the work for first ..< end.
typedef void (*kb_task)(void *context, size_t first, size_t end);

// How many threads later operations use, the caller's own included; 1 ends nothing but leaves the others asleep. Returns what could be had.
size_t kb_use_threads(size_t threads);
size_t kb_threads(void);

// Does the work for 0 ..< count, cut into as many ranges as there are threads, always in the same places, and returns when all of it is
// done. While
// the threads work for one caller, another's work is done by itself alone.
void kb_parallel(size_t count, kb_task task, void *context);

#pragma clang assume_nonnull end
