#include "precision.h"
#include <string.h>

// The output positions [*first, *end) along one axis whose input o * stride + offset
// lies inside of the image.
static void inside(const k_window *w, int axis, long offset, size_t *first, size_t *end) {
  const long stride = (long)w->stride[axis], size = (long)(axis ? w->width : w->height);
  const long out = (long)(axis ? w->out_width : w->out_height);
  long low = offset < 0 ? (-offset + stride - 1) / stride : 0;
  long high = offset < size ? (size - offset + stride - 1) / stride : 0;
  if (high > out) high = out;
  if (low > high) low = high;
  *first = (size_t)low;
  *end = (size_t)high;
}

#define REAL float
#define NAME(f) f##_f
#include "convolution.inc"
#undef REAL
#undef NAME
#define REAL double
#define NAME(f) f##_d
#include "convolution.inc"

void k_im2col(k_precision p, const void *x, void *columns, size_t channels, const k_window *w, size_t first,
              size_t rows) {
  DISPATCH(p, im2col, x, columns, channels, w, first, rows);
}
void k_col2im(k_precision p, const void *columns, void *x, size_t channels, const k_window *w) {
  DISPATCH(p, col2im, columns, x, channels, w);
}
void k_turn_filters(k_precision p, const void *filters, void *turned, size_t outputs, size_t channels,
                    size_t taps) {
  DISPATCH(p, turn_filters, filters, turned, outputs, channels, taps);
}
WIDE void k_depthwise(k_precision p, const void *x, const void *weight, void *y, void *scratch, size_t batch,
                      size_t channels, const k_window *w) {
  DISPATCH(p, depthwise, x, weight, y, scratch, batch, channels, w);
}
void k_depthwise_data(k_precision p, const void *dy, const void *weight, void *dx, size_t batch,
                      size_t channels, const k_window *w) {
  DISPATCH(p, depthwise_data, dy, weight, dx, batch, channels, w);
}
WIDE void k_depthwise_weight(k_precision p, const void *x, const void *dy, void *dweight, void *scratch,
                             size_t batch, size_t channels, const k_window *w) {
  DISPATCH(p, depthwise_weight, x, dy, dweight, scratch, batch, channels, w);
}
