// Bilinear interpolation with half-pixel centres, corners not aligned.
#pragma once
#include <stddef.h>

// Source of output position i when `in` cells become `out`: two neighbours and the share of the second.
static inline void between(size_t i, size_t in, size_t out, size_t *low, size_t *high, double *share) {
  double at = ((double)i + 0.5) * (double)in / (double)out - 0.5;
  if (at < 0) at = 0;
  *low = (size_t)at;
  if (*low > in - 1) *low = in - 1;
  *high = *low + 1 < in ? *low + 1 : in - 1;
  *share = at - (double)*low;
}
