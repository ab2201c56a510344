#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma"))),         \
                             apply_to = function)
#define VARIANT kb_kernels_avx512
#define PAIRS 1
#define PIXELS 8
#define PERMUTES 1
#include "blocked_level.inc"
#pragma clang attribute pop
#endif
