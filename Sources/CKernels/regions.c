#include "regions.h"
#include "precision.h"
#include <math.h>
#include <string.h>

// Where one sample lies: four pixels and their shares. Outside of the map by more than
// a pixel all shares are 0.
typedef struct {
  size_t place[4];
  double share[4];
} k_tap;

static k_tap tap_at(double y, double x, size_t h, size_t w) {
  k_tap tap = {{0, 0, 0, 0}, {0, 0, 0, 0}};
  if (!(y >= -1 && y <= (double)h && x >= -1 && x <= (double)w)) return tap;
  y = y > 0 ? y : 0;
  x = x > 0 ? x : 0;
  size_t y0 = (size_t)y, x0 = (size_t)x, y1 = y0 + 1, x1 = x0 + 1;
  if (y0 + 1 >= h) y0 = y1 = h - 1, y = (double)y0;
  if (x0 + 1 >= w) x0 = x1 = w - 1, x = (double)x0;
  const double ly = y - (double)y0, lx = x - (double)x0;
  tap.place[0] = y0 * w + x0, tap.share[0] = (1 - ly) * (1 - lx);
  tap.place[1] = y0 * w + x1, tap.share[1] = (1 - ly) * lx;
  tap.place[2] = y1 * w + x0, tap.share[2] = ly * (1 - lx);
  tap.place[3] = y1 * w + x1, tap.share[3] = ly * lx;
  return tap;
}

// How a region is cut: where it starts, the size of a cell and the samples in it, along one axis.
typedef struct {
  double start, cell;
  size_t samples;
} k_cut;

static k_cut cut(double low, double high, size_t cells, const k_regions *r) {
  const double offset = r->aligned ? 0.5 : 0;
  double size = (high - low) * r->scale;
  if (!r->aligned && size < 1) size = 1;
  k_cut c = {low * r->scale - offset, size / (double)cells, r->sampling};
  if (r->sampling == 0) {
    const double wanted = ceil(size / (double)cells);
    c.samples = wanted > 0 ? (size_t)wanted : 0;
  }
  return c;
}

static double sample_at(const k_cut *c, size_t cell, size_t i) {
  return c->start + (double)cell * c->cell + ((double)i + 0.5) * c->cell / (double)c->samples;
}

#define REAL float
#define NAME(f) f##_f
#include "regions.inc"
#undef REAL
#undef NAME
#define REAL double
#define NAME(f) f##_d
#include "regions.inc"

size_t k_roi_align_scratch(const k_regions *r) {
  return r->channels * (r->batch * r->height * r->width + r->pooled[0] * r->pooled[1]);
}
void k_roi_align(k_precision p, const void *x, const double *regions, void *y, void *scratch,
                 const k_regions *r) {
  DISPATCH(p, roi_align, x, regions, y, scratch, r);
}
void k_roi_align_pullback(k_precision p, const void *dy, const double *regions, void *dx, void *scratch,
                          const k_regions *r) {
  DISPATCH(p, roi_align_pullback, dy, regions, dx, scratch, r);
}
void k_bilinear_corners(k_precision p, const void *x, void *y, size_t planes, size_t h, size_t w, size_t oh,
                        size_t ow) {
  DISPATCH(p, bilinear_corners, x, y, planes, h, w, oh, ow);
}
void k_bilinear_corners_pullback(k_precision p, const void *dy, void *dx, size_t planes, size_t h, size_t w,
                                 size_t oh, size_t ow) {
  DISPATCH(p, bilinear_corners_pullback, dy, dx, planes, h, w, oh, ow);
}
