// Regions of feature maps, and losses of dense predictions. As in `kernels.h`: all arrays have the precision
// `p` unless their type says otherwise, sums have one order, and outputs do not overlap inputs.
#pragma once
#include "kernels.h"

// Sizes of one pooling of regions.
typedef struct {
  // Of the maps x [batch, channels, height, width].
  size_t batch, channels, height, width;
  // How many regions, and the cells [pooled[0], pooled[1]] that each is cut into.
  size_t regions, pooled[2];
  // From image coordinates to the map's.
  double scale;
  // Samples a cell and axis; 0 for as many as the cell has pixels, rounded up.
  size_t sampling;
  // Whether coordinates mean centres of pixels: half a pixel is taken off, and regions may
  // be smaller than a pixel.
  int aligned;
} k_regions;

// Elements of scratch that both directions need.
size_t k_roi_align_scratch(const k_regions *r);
// RoIAlign (He et al. 2017): y [regions, channels, pooled] = the mean of bilinear samples of each cell.
// A region is five numbers: image, left, top, right, bottom. Samples are added cell by cell in rising
// order of row and column.
void k_roi_align(k_precision p, const void *x, const double *regions, void *y, void *scratch,
                 const k_regions *r);
// dx [batch, channels, height, width] from dy [regions, channels, pooled]: region after region, cell after
// cell, sample after sample.
void k_roi_align_pullback(k_precision p, const void *dy, const double *regions, void *dx, void *scratch,
                          const k_regions *r);

// Bilinear where the corner pixels of both sizes are the same points: source i
// (in - 1) / (out - 1), 0 where out is 1.
void k_bilinear_corners(k_precision p, const void *x, void *y, size_t planes, size_t h, size_t w, size_t oh,
                        size_t ow);
void k_bilinear_corners_pullback(k_precision p, const void *dy, void *dx, size_t planes, size_t h, size_t w,
                                 size_t oh, size_t ow);

// loss[i] = BCE(x, y) (alpha y + (1 - alpha)(1 - y)) (1 - p_t)^gamma with p = sigmoid(x), p_t = p
// y + (1 - p)(1 - y); the factor with alpha is left out where alpha is negative (Lin et al. 2017).
void k_focal(k_precision p, const void *x, const void *y, double alpha, double gamma, void *loss, size_t n);
void k_focal_pullback(k_precision p, const void *x, const void *y, double alpha, double gamma,
                      const void *dloss, void *dx, size_t n);
// loss[i] = d² / (2 beta) below beta, d - beta / 2 above, d = |x - y|; beta 0 is the absolute
// difference, with gradient 0 at 0.
void k_smooth_l1(k_precision p, const void *x, const void *y, double beta, void *loss, size_t n);
void k_smooth_l1_pullback(k_precision p, const void *x, const void *y, double beta, const void *dloss,
                          void *dx, size_t n);
// loss[i] = max(x, 0) - x y + log1p(exp(-|x|))
void k_bce(k_precision p, const void *x, const void *y, void *loss, size_t n);
void k_bce_pullback(k_precision p, const void *x, const void *y, const void *dloss, void *dx, size_t n);
// loss[r] = 1 - inter / (union + epsilon) + (hull - union) / (hull + epsilon) of boxes x, y [rows, 4] by
// their corners (Rezatofighi et al. 2019).
void k_giou(k_precision p, const void *x, const void *y, double epsilon, void *loss, size_t rows);
void k_giou_pullback(k_precision p, const void *x, const void *y, double epsilon, const void *dloss, void *dx,
                     size_t rows);
// loss[b, i] = -log softmax over channels of x [batch, channels, inner] at label[b, i]; 0
// where the label is `ignored`.
void k_pixel_cross_entropy(k_precision p, const void *x, const int32_t *label, int32_t ignored, void *loss,
                           size_t batch, size_t channels, size_t inner);
void k_pixel_cross_entropy_pullback(k_precision p, const void *x, const int32_t *label, int32_t ignored,
                                    const void *dloss, void *dx, size_t batch, size_t channels, size_t inner);
