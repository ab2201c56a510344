#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define VARIANT kb_kernels_avx2
#define PAIRS 0
#define PIXELS 6
#define PERMUTES 0
#include "blocked_level.inc"
#pragma clang attribute pop
#endif
