#include "regions.h"
#include "precision.h"
#include <math.h>

// max(x, 0) - x y + log1p(exp(-|x|)), finite for every finite x.
static inline double bce_of(double x, double y) { return (x > 0 ? x : 0) - x * y + log1p(exp(-fabs(x))); }
static inline double sigmoid_of(double x) {
  const double e = exp(-fabs(x));
  return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}
static inline double alpha_of(double alpha, double y) {
  return alpha < 0 ? 1 : alpha * y + (1 - alpha) * (1 - y);
}

// What the generalised overlap of two boxes is made of.
typedef struct {
  double shared, united, hull, across, down;
} k_overlap;

static k_overlap overlap_of(const double *x, const double *y) {
  k_overlap o;
  o.across = fmin(x[2], y[2]) - fmax(x[0], y[0]);
  o.down = fmin(x[3], y[3]) - fmax(x[1], y[1]);
  o.shared = o.across > 0 && o.down > 0 ? o.across * o.down : 0;
  o.united = (x[2] - x[0]) * (x[3] - x[1]) + (y[2] - y[0]) * (y[3] - y[1]) - o.shared;
  o.hull = (fmax(x[2], y[2]) - fmin(x[0], y[0])) * (fmax(x[3], y[3]) - fmin(x[1], y[1]));
  return o;
}

#define REAL float
#define NAME(f) f##_f
#include "dense_losses.inc"
#undef REAL
#undef NAME
#define REAL double
#define NAME(f) f##_d
#include "dense_losses.inc"

void k_focal(k_precision p, const void *x, const void *y, double alpha, double gamma, void *loss, size_t n) {
  DISPATCH(p, focal, x, y, alpha, gamma, loss, n);
}
void k_focal_pullback(k_precision p, const void *x, const void *y, double alpha, double gamma,
                      const void *dloss, void *dx, size_t n) {
  DISPATCH(p, focal_pullback, x, y, alpha, gamma, dloss, dx, n);
}
void k_smooth_l1(k_precision p, const void *x, const void *y, double beta, void *loss, size_t n) {
  DISPATCH(p, smooth_l1, x, y, beta, loss, n);
}
void k_smooth_l1_pullback(k_precision p, const void *x, const void *y, double beta, const void *dloss,
                          void *dx, size_t n) {
  DISPATCH(p, smooth_l1_pullback, x, y, beta, dloss, dx, n);
}
void k_bce(k_precision p, const void *x, const void *y, void *loss, size_t n) {
  DISPATCH(p, bce, x, y, loss, n);
}
void k_bce_pullback(k_precision p, const void *x, const void *y, const void *dloss, void *dx, size_t n) {
  DISPATCH(p, bce_pullback, x, y, dloss, dx, n);
}
void k_giou(k_precision p, const void *x, const void *y, double epsilon, void *loss, size_t rows) {
  DISPATCH(p, giou, x, y, epsilon, loss, rows);
}
void k_giou_pullback(k_precision p, const void *x, const void *y, double epsilon, const void *dloss, void *dx,
                     size_t rows) {
  DISPATCH(p, giou_pullback, x, y, epsilon, dloss, dx, rows);
}
void k_pixel_cross_entropy(k_precision p, const void *x, const int32_t *label, int32_t ignored, void *loss,
                           size_t batch, size_t channels, size_t inner) {
  DISPATCH(p, pixel_cross_entropy, x, label, ignored, loss, batch, channels, inner);
}
void k_pixel_cross_entropy_pullback(k_precision p, const void *x, const int32_t *label, int32_t ignored,
                                    const void *dloss, void *dx, size_t batch, size_t channels,
                                    size_t inner) {
  DISPATCH(p, pixel_cross_entropy_pullback, x, label, ignored, dloss, dx, batch, channels, inner);
}
