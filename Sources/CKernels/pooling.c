#include "between.h"
#include "precision.h"
#include <string.h>

// The source of output i: the ratio in single precision, as PyTorch has it.
static inline size_t nearest_of(size_t i, size_t in, size_t out) {
  const size_t source = (size_t)((float)i * ((float)in / (float)out));
  return source < in ? source : in - 1;
}

#define REAL float
#define NAME(f) f##_f
#include "pooling.inc"
#undef REAL
#undef NAME
#define REAL double
#define NAME(f) f##_d
#include "pooling.inc"

void k_max_pool(k_precision p, const void *x, void *y, int32_t *index, size_t planes, const k_window *w) {
  DISPATCH(p, max_pool, x, y, index, planes, w);
}
void k_scatter(k_precision p, const void *dy, const int32_t *index, void *dx, size_t planes, size_t in_size,
               size_t out_size) {
  DISPATCH(p, scatter, dy, index, dx, planes, in_size, out_size);
}
void k_average_pool(k_precision p, const void *x, void *y, size_t planes, const k_window *w) {
  DISPATCH(p, average_pool, x, y, planes, w);
}
void k_average_pool_pullback(k_precision p, const void *dy, void *dx, size_t planes, const k_window *w) {
  DISPATCH(p, average_pool_pullback, dy, dx, planes, w);
}
void k_adaptive_pool(k_precision p, const void *x, void *y, size_t planes, size_t h, size_t w, size_t oh,
                     size_t ow) {
  DISPATCH(p, adaptive_pool, x, y, planes, h, w, oh, ow);
}
void k_adaptive_pool_pullback(k_precision p, const void *dy, void *dx, size_t planes, size_t h, size_t w,
                              size_t oh, size_t ow) {
  DISPATCH(p, adaptive_pool_pullback, dy, dx, planes, h, w, oh, ow);
}
void k_bilinear(k_precision p, const void *x, void *y, size_t planes, size_t h, size_t w, size_t oh,
                size_t ow) {
  DISPATCH(p, bilinear, x, y, planes, h, w, oh, ow);
}
void k_bilinear_pullback(k_precision p, const void *dy, void *dx, size_t planes, size_t h, size_t w,
                         size_t oh, size_t ow) {
  DISPATCH(p, bilinear_pullback, dy, dx, planes, h, w, oh, ow);
}
void k_nearest(k_precision p, const void *x, void *y, size_t planes, size_t h, size_t w, size_t oh,
               size_t ow) {
  DISPATCH(p, nearest, x, y, planes, h, w, oh, ow);
}
void k_nearest_pullback(k_precision p, const void *dy, void *dx, size_t planes, size_t h, size_t w, size_t oh,
                        size_t ow) {
  DISPATCH(p, nearest_pullback, dy, dx, planes, h, w, oh, ow);
}
