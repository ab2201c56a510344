// For processors without AVX2: the same bits, slowly where fused multiply-adds are not in hardware.
#define VARIANT kb_kernels_basic
#define PAIRS 0
#define PIXELS 4
#define PERMUTES 0
#include "blocked_level.inc"
