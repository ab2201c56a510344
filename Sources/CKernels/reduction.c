#include "precision.h"
#include <math.h>
#include <string.h>

#define REAL float
#define NAME(f) f##_f
#include "reduction.inc"
#undef REAL
#undef NAME
#define REAL double
#define NAME(f) f##_d
#include "reduction.inc"

WIDE void k_sum_to_middle(k_precision p, const void *x, double factor, void *v, size_t outer, size_t middle,
                          size_t inner) {
  DISPATCH(p, sum_to_middle, x, factor, v, outer, middle, inner);
}
WIDE void k_dot_to_middle(k_precision p, const void *x, const void *y, void *v, size_t outer, size_t middle,
                          size_t inner) {
  DISPATCH(p, dot_to_middle, x, y, v, outer, middle, inner);
}
void k_sum_axis(k_precision p, const void *x, double factor, void *y, size_t outer, size_t axis,
                size_t inner) {
  DISPATCH(p, sum_axis, x, factor, y, outer, axis, inner);
}
WIDE void k_moments(k_precision p, const void *x, void *mean, void *variance, size_t batch, size_t channels,
                    size_t inner) {
  DISPATCH(p, moments, x, mean, variance, batch, channels, inner);
}
WIDE void k_normalize(k_precision p, const void *x, const void *mean, const void *variance,
                      const void *weight, const void *bias, double epsilon, void *y, size_t batch,
                      size_t channels, size_t inner) {
  DISPATCH(p, normalize, x, mean, variance, weight, bias, epsilon, y, batch, channels, inner);
}
WIDE void k_batch_norm_pullback(k_precision p, const void *x, const void *mean, const void *variance,
                                const void *weight, double epsilon, const void *dy, void *dx, void *dweight,
                                void *dbias, size_t batch, size_t channels, size_t inner) {
  DISPATCH(p, batch_norm_pullback, x, mean, variance, weight, epsilon, dy, dx, dweight, dbias, batch,
           channels, inner);
}
WIDE void k_fixed_norm_pullback(k_precision p, const void *x, const void *mean, const void *variance,
                                const void *weight, double epsilon, const void *dy, void *dx, void *dweight,
                                void *dbias, size_t batch, size_t channels, size_t inner) {
  DISPATCH(p, fixed_norm_pullback, x, mean, variance, weight, epsilon, dy, dx, dweight, dbias, batch,
           channels, inner);
}
