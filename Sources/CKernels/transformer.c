#include "transformer.h"
#include "blocked.h"
#include "precision.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

// exp(x) from x = n ln 2 + r with a polynomial of degree 7: within 2 units in the
// last place, and 0 below -87.
INLINE float exponential_f(float x) {
  const float low = x < -87 ? 0 : 1, bounded = x < -87 ? -87 : (x > 88 ? 88 : x);
  // Adding and taking away 1.5 × 2^23 rounds to an integer.
  const float n = (bounded * 1.44269504f + 12582912.0f) - 12582912.0f;
  const float r = (bounded - n * 0.693359375f) - n * -2.12194440e-4f;
  float y = 1.98412698e-4f;
  y = y * r + 1.38888889e-3f;
  y = y * r + 8.33333333e-3f;
  y = y * r + 4.16666667e-2f;
  y = y * r + 1.66666667e-1f;
  y = y * r + 0.5f;
  y = y * r + 1;
  y = y * r + 1;
  const int32_t bits = ((int32_t)n + 127) << 23;
  float power;
  memcpy(&power, &bits, sizeof power);
  return y * power * low;
}

INLINE double exponential_d(double x) { return exp(x); }

// Phi(x) and sqrt(2 pi) phi(x).
INLINE double normal(double x, double *density) {
  *density = exp(-0.5 * x * x);
  return 0.5 * erfc(-x * 0.70710678118654752440);
}

#define REAL float
#define NAME(f) f##_f
#include "transformer.inc"
#undef REAL
#undef NAME
#define REAL double
#define NAME(f) f##_d
#include "transformer.inc"

void k_gelu(const kb_kernels *kernels, k_precision p, const void *x, void *y, size_t n) {
  if (p == K_SINGLE) return kernels->gelu(x, y, n);
  const double *from = x;
  double *to = y, density;
  for (size_t i = 0; i < n; i++) to[i] = from[i] * normal(from[i], &density);
}

void k_gelu_pullback(const kb_kernels *kernels, k_precision p, const void *x, const void *dy, void *dx,
                     size_t n) {
  if (p == K_SINGLE) return kernels->gelu_pullback(x, dy, dx, n);
  const double *at = x, *from = dy;
  double *to = dx, density;
  for (size_t i = 0; i < n; i++) {
    const double below = normal(at[i], &density);
    to[i] = from[i] * (below + at[i] * (density * 0.39894228040143267794));
  }
}

WIDE void k_layer_norm(k_precision p, const void *x, const void *weight, const void *bias, double epsilon,
                       void *y, double *statistics, size_t rows, size_t columns) {
  DISPATCH(p, layer_norm, x, weight, bias, epsilon, y, statistics, rows, columns);
}
WIDE void k_layer_norm_pullback(k_precision p, const void *x, const void *weight, const double *statistics,
                                const void *dy, void *dx, void *dweight, void *dbias, size_t rows,
                                size_t columns) {
  DISPATCH(p, layer_norm_pullback, x, weight, statistics, dy, dx, dweight, dbias, rows, columns);
}
WIDE void k_scaled_softmax(k_precision p, const void *x, double scale, void *y, size_t rows, size_t columns) {
  DISPATCH(p, scaled_softmax, x, scale, y, rows, columns);
}
WIDE void k_scaled_softmax_pullback(k_precision p, const void *y, double scale, const void *dy, void *dx,
                                    size_t rows, size_t columns) {
  DISPATCH(p, scaled_softmax_pullback, y, scale, dy, dx, rows, columns);
}
void k_split_heads(k_precision p, const void *x, void *y, size_t batch, size_t tokens, size_t parts,
                   size_t part, size_t heads, size_t width) {
  DISPATCH(p, split_heads, x, y, batch, tokens, parts, part, heads, width);
}
void k_merge_heads(k_precision p, const void *y, void *x, size_t batch, size_t tokens, size_t parts,
                   size_t part, size_t heads, size_t width) {
  DISPATCH(p, merge_heads, y, x, batch, tokens, parts, part, heads, width);
}
void k_transpose(k_precision p, const void *x, void *y, size_t batch, size_t rows, size_t columns) {
  DISPATCH(p, transpose, x, y, batch, rows, columns);
}
void k_space(k_precision p, const void *x, void *y, size_t planes, size_t h, size_t w, size_t sy, size_t sx) {
  DISPATCH(p, space, x, y, planes, h, w, sy, sx);
}
void k_space_pullback(k_precision p, const void *dy, void *dx, size_t planes, size_t h, size_t w, size_t sy,
                      size_t sx) {
  DISPATCH(p, space_pullback, dy, dx, planes, h, w, sy, sx);
}
void k_phases(k_precision p, const void *x, void *y, size_t batch, size_t channels, size_t h, size_t w,
              size_t sy, size_t sx) {
  DISPATCH(p, phases, x, y, batch, channels, h, w, sy, sx);
}
void k_joined_phases(k_precision p, const void *y, void *x, size_t batch, size_t channels, size_t ph,
                     size_t pw, size_t h, size_t w, size_t sy, size_t sx) {
  DISPATCH(p, joined_phases, y, x, batch, channels, ph, pw, h, w, sy, sx);
}
void k_adaptive_max_pool(k_precision p, const void *x, void *y, int32_t *index, size_t planes, size_t h,
                         size_t w, size_t oh, size_t ow) {
  DISPATCH(p, adaptive_max_pool, x, y, index, planes, h, w, oh, ow);
}
int k_is_finite(k_precision p, const void *x, size_t n) { return DISPATCH(p, is_finite, x, n); }
