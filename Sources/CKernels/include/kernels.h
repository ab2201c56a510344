// Element loops of the reference path. Every function takes the precision of all its arrays (float or double)
// and works on plain row-major memory. Output arrays do not overlap input arrays unless a comment allows it.
// Sums are formed in double, in an order that depends on the shapes alone: eight interleaved lanes, then the
// lanes in ascending order. Layers of transformers are in `transformer.h`.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef enum { K_SINGLE = 0, K_DOUBLE = 1 } k_precision;

// Pointwise -------------------------------------------------------------------------------------------------

typedef enum { K_ADD, K_SUBTRACT, K_MULTIPLY, K_DIVIDE } k_binary_op;
typedef enum { K_RELU, K_RELU6, K_SIGMOID, K_TANH, K_EXP, K_LOG, K_SQUARE, K_ROOT, K_CLAMP01 } k_unary_op;

// z[i] = x[i] op y[i]; z may be x or y.
void k_binary(k_precision p, k_binary_op op, const void *x, const void *y, void *z, size_t n);
// y[i] = f(x[i]); y may be x.
void k_unary(k_precision p, k_unary_op op, const void *x, void *y, size_t n);
// dx[i] = f'(x[i]) dy[i], given `kept`: x for the logarithm and the square, y = f(x) for all others. Kinks: 0
// at 0 (ReLU), at 0 and 6 (ReLU6), outside of (0, 1) (clamp).
void k_unary_pullback(k_precision p, k_unary_op op, const void *kept, const void *dy, void *dx, size_t n);
// y[i] = a x[i] + b; y may be x.
void k_affine(k_precision p, const void *x, double a, double b, void *y, size_t n);
// y[i] += a x[i].
void k_accumulate(k_precision p, const void *x, double a, void *y, size_t n);
void k_fill(k_precision p, double value, void *y, size_t n);
// y[i] = x[i] in the other precision.
void k_convert(k_precision from, const void *x, k_precision to, void *y, size_t n);

// A vector along the middle axis of [outer, middle, inner] --------------------------------------------------

// y[o,m,i] = x[o,m,i] + v[m]
void k_add_middle(k_precision p, const void *x, const void *v, void *y, size_t outer, size_t middle,
                  size_t inner);
// y[o,m,i] = x[o,m,i] v[m]
void k_scale_middle(k_precision p, const void *x, const void *v, void *y, size_t outer, size_t middle,
                    size_t inner);
// v[m] = factor sum over o, i of x[o,m,i]
void k_sum_to_middle(k_precision p, const void *x, double factor, void *v, size_t outer, size_t middle,
                     size_t inner);
// v[m] = sum over o, i of x[o,m,i] y[o,m,i]
void k_dot_to_middle(k_precision p, const void *x, const void *y, void *v, size_t outer, size_t middle,
                     size_t inner);
// y[o,m,i] = factor v[m]
void k_spread_middle(k_precision p, const void *v, double factor, void *y, size_t outer, size_t middle,
                     size_t inner);
// y[o,i] = factor sum over a of x[o,a,i], a ascending
void k_sum_axis(k_precision p, const void *x, double factor, void *y, size_t outer, size_t axis,
                size_t inner);
// y[o,a,i] = factor x[o,i]
void k_spread_axis(k_precision p, const void *x, double factor, void *y, size_t outer, size_t axis,
                   size_t inner);

// Rows ------------------------------------------------------------------------------------------------------

// y = softmax or log-softmax of each row of x [rows, columns]; the maximum is subtracted first.
void k_softmax(k_precision p, const void *x, void *y, size_t rows, size_t columns);
void k_softmax_pullback(k_precision p, const void *y, const void *dy, void *dx, size_t rows, size_t columns);
void k_log_softmax(k_precision p, const void *x, void *y, size_t rows, size_t columns);
void k_log_softmax_pullback(k_precision p, const void *y, const void *dy, void *dx, size_t rows,
                            size_t columns);
// loss[r] = T² sum_c p (log p - log q), p = softmax(teacher / T), q = softmax(student / T); 0 where p is 0.
void k_kl(k_precision p, const void *student, const void *teacher, double temperature, void *loss,
          size_t rows, size_t columns);
// dstudent[r,c] = T (q - p) dloss[r]
void k_kl_pullback(k_precision p, const void *student, const void *teacher, double temperature,
                   const void *dloss, void *dstudent, size_t rows, size_t columns);
// y[r] = x[r, index[r]]
void k_pick(k_precision p, const void *x, const int64_t *index, void *y, size_t rows, size_t columns);
// dx[r, c] = dy[r] where c = index[r], else 0
void k_pick_pullback(k_precision p, const void *dy, const int64_t *index, void *dx, size_t rows,
                     size_t columns);

// Batch normalisation over [batch, channels, inner] ---------------------------------------------------------

// mean[c] and biased variance[c].
void k_moments(k_precision p, const void *x, void *mean, void *variance, size_t batch, size_t channels,
               size_t inner);
// y = weight (x - mean) / sqrt(variance + epsilon) + bias
void k_normalize(k_precision p, const void *x, const void *mean, const void *variance, const void *weight,
                 const void *bias, double epsilon, void *y, size_t batch, size_t channels, size_t inner);
// Gradients where mean and variance are those of the batch; dx may be dy.
void k_batch_norm_pullback(k_precision p, const void *x, const void *mean, const void *variance,
                           const void *weight, double epsilon, const void *dy, void *dx, void *dweight,
                           void *dbias, size_t batch, size_t channels, size_t inner);
// Gradients where mean and variance are constants.
void k_fixed_norm_pullback(k_precision p, const void *x, const void *mean, const void *variance,
                           const void *weight, double epsilon, const void *dy, void *dx, void *dweight,
                           void *dbias, size_t batch, size_t channels, size_t inner);

// Convolution -----------------------------------------------------------------------------------------------

// Sizes of one two-dimensional window operation; pairs are (height, width).
typedef struct {
  size_t height, width, out_height, out_width;
  size_t kernel[2], stride[2], padding[2], dilation[2];
} k_window;

// One image x [channels, height, width] to the columns [channels * kh * kw, rows * out_width] of the
// output rows from `first` on.
void k_im2col(k_precision p, const void *x, void *columns, size_t channels, const k_window *w, size_t first,
              size_t rows);
// The transpose: x is overwritten with the sum of the columns' entries.
void k_col2im(k_precision p, const void *columns, void *x, size_t channels, const k_window *w);
// Filters [outputs, channels, taps] to [channels, outputs, taps] with the taps in reverse: those of the
// gradient as a convolution. Applied again with the extents exchanged, it undoes itself.
void k_turn_filters(k_precision p, const void *filters, void *turned, size_t outputs, size_t channels,
                    size_t taps);
// One filter a channel: y [batch, channels, oh, ow] from x [batch, channels, h, w] and weight [channels,
// kh, kw]. The scratch has room for a padded plane and a vector behind it: (h + 2 padding) (w + 2
// padding) + 8 stride elements.
void k_depthwise(k_precision p, const void *x, const void *weight, void *y, void *scratch, size_t batch,
                 size_t channels, const k_window *w);
void k_depthwise_data(k_precision p, const void *dy, const void *weight, void *dx, size_t batch,
                      size_t channels, const k_window *w);
// Products are summed in eight lanes a plane, then in double: lanes ascending, then samples.
// The scratch is as above.
void k_depthwise_weight(k_precision p, const void *x, const void *dy, void *dweight, void *scratch,
                        size_t batch, size_t channels, const k_window *w);

// Pooling and resizing, one call for all planes [planes, height, width] -------------------------------------

// Largest value of each window and its index in the plane, the first on ties; padding
// counts as minus infinity.
void k_max_pool(k_precision p, const void *x, void *y, int32_t *index, size_t planes, const k_window *w);
// dx [planes, in_size] from dy [planes, out_size] and the indices.
void k_scatter(k_precision p, const void *dy, const int32_t *index, void *dx, size_t planes, size_t in_size,
               size_t out_size);
// Mean of each window, padding included; cells of a last window beyond the padding do not count.
void k_average_pool(k_precision p, const void *x, void *y, size_t planes, const k_window *w);
void k_average_pool_pullback(k_precision p, const void *dy, void *dx, size_t planes, const k_window *w);
// Output cell o covers rows floor(o h / oh) up to, not including, ceil((o + 1) h / oh).
void k_adaptive_pool(k_precision p, const void *x, void *y, size_t planes, size_t h, size_t w, size_t oh,
                     size_t ow);
void k_adaptive_pool_pullback(k_precision p, const void *dy, void *dx, size_t planes, size_t h, size_t w,
                              size_t oh, size_t ow);
// Bilinear with half-pixel centres, corners not aligned, no antialiasing.
void k_bilinear(k_precision p, const void *x, void *y, size_t planes, size_t h, size_t w, size_t oh,
                size_t ow);
void k_bilinear_pullback(k_precision p, const void *dy, void *dx, size_t planes, size_t h, size_t w,
                         size_t oh, size_t ow);
// Source position floor(i (in / out)), the ratio and the product in single precision.
void k_nearest(k_precision p, const void *x, void *y, size_t planes, size_t h, size_t w, size_t oh,
               size_t ow);
void k_nearest_pullback(k_precision p, const void *dy, void *dx, size_t planes, size_t h, size_t w, size_t oh,
                        size_t ow);

// Optimisers, in place --------------------------------------------------------------------------------------

// g = gradient + decay w; v = g where `first`, else momentum v + g; w -= rate (nesterov ? g + momentum v :
// v). v may be null when momentum is 0.
void k_sgd(k_precision p, void *w, const void *gradient, void *v, double rate, double momentum, double decay,
           int nesterov, int first, size_t n);
// Adam with bias correction at step t (from 1); `decoupled` multiplies w by 1 - rate decay instead of adding
// decay w to the gradient.
void k_adam(k_precision p, void *w, const void *gradient, void *m, void *v, double rate, double beta1,
            double beta2, double epsilon, double decay, int decoupled, int64_t t, size_t n);

// Images ----------------------------------------------------------------------------------------------------

// One sample: out [channels, height, width] = (pixel / 255 - mean) / std of the image shifted by (dy,
// dx), mirrored when `flip`; what comes from outside is the normalised form of a black pixel, as padding
// before normalisation gives.
void k_image_view(const uint8_t *pixels, float *out, size_t channels, size_t height, size_t width, int dy,
                  int dx, int flip, const double *mean, const double *std);
