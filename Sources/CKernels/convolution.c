#include "precision.h"
#include <string.h>

#define REAL float
#define NAME(f) f##_f
#include "convolution.inc"
#undef REAL
#undef NAME
#define REAL double
#define NAME(f) f##_d
#include "convolution.inc"

void k_im2col(k_precision p, const void *x, void *columns, size_t channels, const k_window *w) {
  DISPATCH(p, im2col, x, columns, channels, w);
}
void k_col2im(k_precision p, const void *columns, void *x, size_t channels, const k_window *w) {
  DISPATCH(p, col2im, columns, x, channels, w);
}
void k_depthwise(k_precision p, const void *x, const void *weight, void *y, size_t batch, size_t channels, const k_window *w) {
  DISPATCH(p, depthwise, x, weight, y, batch, channels, w);
}
void k_depthwise_data(k_precision p, const void *dy, const void *weight, void *dx, size_t batch, size_t channels,
                      const k_window *w) {
  DISPATCH(p, depthwise_data, dy, weight, dx, batch, channels, w);
}
void k_depthwise_weight(k_precision p, const void *x, const void *dy, void *dweight, size_t batch, size_t channels,
                        const k_window *w) {
  DISPATCH(p, depthwise_weight, x, dy, dweight, batch, channels, w);
}
