// Layers over tokens: rows of features. As in `kernels.h`, every function takes the
// precision of all its arrays.
#pragma once
#include "blocked.h"
#include "kernels.h"

// y[i] = x[i] Phi(x[i]), Phi the distribution function of the standard normal. In single precision exp and
// erf are our own: vectorised, within 1e-6 of a value, and the same bits everywhere.
void k_gelu(const kb_kernels *kernels, k_precision p, const void *x, void *y, size_t n);
// dx[i] = dy[i] (Phi(x) + x phi(x))
void k_gelu_pullback(const kb_kernels *kernels, k_precision p, const void *x, const void *dy, void *dx,
                     size_t n);

// y = weight (x - mean) / sqrt(variance + epsilon) + bias over each row of x [rows, columns], biased
// variance. Mean and 1 / root of each row go to `statistics` [rows, 2].
void k_layer_norm(k_precision p, const void *x, const void *weight, const void *bias, double epsilon, void *y,
                  double *statistics, size_t rows, size_t columns);
void k_layer_norm_pullback(k_precision p, const void *x, const void *weight, const double *statistics,
                           const void *dy, void *dx, void *dweight, void *dbias, size_t rows, size_t columns);

// y = softmax(scale x) of each row [rows, columns]; y may be x.
void k_scaled_softmax(k_precision p, const void *x, double scale, void *y, size_t rows, size_t columns);
void k_scaled_softmax_pullback(k_precision p, const void *y, double scale, const void *dy, void *dx,
                               size_t rows, size_t columns);

// Part `part` of x [batch, tokens, parts, heads, width] to y [batch, heads, tokens, width].
void k_split_heads(k_precision p, const void *x, void *y, size_t batch, size_t tokens, size_t parts,
                   size_t part, size_t heads, size_t width);
// The other way: y [batch, heads, tokens, width] to its place in x; the other parts of x are left alone.
void k_merge_heads(k_precision p, const void *y, void *x, size_t batch, size_t tokens, size_t parts,
                   size_t part, size_t heads, size_t width);
// y [batch, columns, rows] from x [batch, rows, columns].
void k_transpose(k_precision p, const void *x, void *y, size_t batch, size_t rows, size_t columns);

// Whether no element is infinite or not a number.
int k_is_finite(k_precision p, const void *x, size_t n);

// Pixels of x [planes, h, w] at steps of (sy, sx) in y [planes, (h - 1) sy + 1, (w - 1)
// sx + 1], zeros between them.
void k_space(k_precision p, const void *x, void *y, size_t planes, size_t h, size_t w, size_t sy, size_t sx);
// dx from dy: what `k_space` placed.
void k_space_pullback(k_precision p, const void *dy, void *dx, size_t planes, size_t h, size_t w, size_t sy,
                      size_t sx);
// Maps x [batch, channels, h, w] taken apart: phase (a, b) has the pixels (a + i sy, b + j sx), zeros
// where there are none. All samples of phase (0, 0) come first: y [sy sx batch, channels,
// ceil(h / sy), ceil(w / sx)].
void k_phases(k_precision p, const void *x, void *y, size_t batch, size_t channels, size_t h, size_t w,
              size_t sy, size_t sx);
// Maps x [batch, channels, h, w] from phases y [sy sx batch, channels, ph, pw] of at least their size.
void k_joined_phases(k_precision p, const void *y, void *x, size_t batch, size_t channels, size_t ph,
                     size_t pw, size_t h, size_t w, size_t sy, size_t sx);
// The largest value of each cell of an adaptive pooling and its index in the plane, the first on ties.
void k_adaptive_max_pool(k_precision p, const void *x, void *y, int32_t *index, size_t planes, size_t h,
                         size_t w, size_t oh, size_t ow);
