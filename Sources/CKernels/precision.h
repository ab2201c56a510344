// A file `x.inc` is written once in terms of REAL and NAME and included for each precision; DISPATCH
// then chooses at run time.
#pragma once
#include "kernels.h"
#define DISPATCH(p, f, ...) ((p) == K_SINGLE ? f##_f(__VA_ARGS__) : f##_d(__VA_ARGS__))

enum { LANES = 8 };

// The eight partial sums in their one order.
static inline double lanes_total(const double *lane) {
  double total = 0;
  for (int l = 0; l < LANES; l++) total += lane[l];
  return total;
}

// Compiled a second time for wider vectors, and chosen when the program starts. Products are never fused with
// sums (-ffp-contract=off) and lanes are part of the source, so both give the same bits. Not under
// ThreadSanitizer, which is not there yet when the choice is made.
#if defined(__x86_64__) && defined(__linux__) && !__has_feature(thread_sanitizer)
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif
// A part of such a function, compiled with it.
#define INLINE static inline __attribute__((always_inline))
