#include "precision.h"
#include <math.h>

#define REAL float
#define NAME(f) f##_f
#include "pointwise.inc"
#undef REAL
#undef NAME
#define REAL double
#define NAME(f) f##_d
#include "pointwise.inc"

WIDE void k_binary(k_precision p, k_binary_op op, const void *x, const void *y, void *z, size_t n) {
  DISPATCH(p, binary, op, x, y, z, n);
}
WIDE void k_unary(k_precision p, k_unary_op op, const void *x, void *y, size_t n) {
  DISPATCH(p, unary, op, x, y, n);
}
WIDE void k_unary_pullback(k_precision p, k_unary_op op, const void *kept, const void *dy, void *dx,
                           size_t n) {
  DISPATCH(p, unary_pullback, op, kept, dy, dx, n);
}
WIDE void k_affine(k_precision p, const void *x, double a, double b, void *y, size_t n) {
  DISPATCH(p, affine, x, a, b, y, n);
}
WIDE void k_accumulate(k_precision p, const void *x, double a, void *y, size_t n) {
  DISPATCH(p, accumulate, x, a, y, n);
}
void k_fill(k_precision p, double value, void *y, size_t n) { DISPATCH(p, fill, value, y, n); }

void k_convert(k_precision from, const void *x, k_precision to, void *y, size_t n) {
  if (from == K_SINGLE && to == K_DOUBLE)
    for (size_t i = 0; i < n; i++) ((double *)y)[i] = ((const float *)x)[i];
  else if (from == K_DOUBLE && to == K_SINGLE)
    for (size_t i = 0; i < n; i++) ((float *)y)[i] = (float)((const double *)x)[i];
  else
    DISPATCH(from, affine, x, 1, 0, y, n);
}

WIDE void k_add_middle(k_precision p, const void *x, const void *v, void *y, size_t outer, size_t middle,
                       size_t inner) {
  DISPATCH(p, add_middle, x, v, y, outer, middle, inner);
}
WIDE void k_scale_middle(k_precision p, const void *x, const void *v, void *y, size_t outer, size_t middle,
                         size_t inner) {
  DISPATCH(p, scale_middle, x, v, y, outer, middle, inner);
}
void k_spread_middle(k_precision p, const void *v, double factor, void *y, size_t outer, size_t middle,
                     size_t inner) {
  DISPATCH(p, spread_middle, v, factor, y, outer, middle, inner);
}
void k_spread_axis(k_precision p, const void *x, double factor, void *y, size_t outer, size_t axis,
                   size_t inner) {
  DISPATCH(p, spread_axis, x, factor, y, outer, axis, inner);
}
WIDE void k_sgd(k_precision p, void *w, const void *gradient, void *v, double rate, double momentum,
                double decay, int nesterov, int first, size_t n) {
  DISPATCH(p, sgd, w, gradient, v, rate, momentum, decay, nesterov, first, n);
}
void k_adam(k_precision p, void *w, const void *gradient, void *m, void *v, double rate, double beta1,
            double beta2, double epsilon, double decay, int decoupled, int64_t t, size_t n) {
  DISPATCH(p, adam, w, gradient, m, v, rate, beta1, beta2, epsilon, decay, decoupled, t, n);
}

void k_image_view(const uint8_t *pixels, float *out, size_t channels, size_t height, size_t width, int dy,
                  int dx, int flip, const double *mean, const double *std) {
  for (size_t c = 0; c < channels; c++) {
    float value[256];
    for (int v = 0; v < 256; v++) value[v] = (float)((v / 255.0 - mean[c]) / std[c]);
    for (size_t y = 0; y < height; y++) {
      const long row = (long)y + dy;
      float *to = out + (c * height + y) * width;
      for (size_t x = 0; x < width; x++) {
        const long column = (flip ? (long)(width - 1 - x) : (long)x) + dx;
        const int inside = row >= 0 && row < (long)height && column >= 0 && column < (long)width;
        to[x] = value[inside ? pixels[(c * height + (size_t)row) * width + (size_t)column] : 0];
      }
    }
  }
}
