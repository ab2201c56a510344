// Kernels of the fast path: single precision, layout [batch][channels / 16][height][width][16], 64-byte
// aligned, channels padded with zeros to a multiple of 16. One source is compiled for AVX-512, for AVX2 with
// FMA and without either; the processor decides when the program starts. Every multiply-add is an explicit
// fused one and every sum has one order, given by the shapes alone: all variants give the same bits, and so
// does any partition of the work over threads.
#pragma once
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

typedef enum { KB_BASIC, KB_AVX2, KB_AVX512 } kb_level;
enum {
  // Channels of a block.
  KB_LANES = 16,
  // Taps of the largest filter that the fast path takes.
  KB_TAPS = 49,
};

// Sizes of one convolution; pairs are (height, width). Channels are the real ones.
typedef struct {
  size_t batch, channels, outputs, groups;
  size_t height, width, out_height, out_width;
  size_t kernel[2], stride[2], padding[2];
} kb_convolution;

// What happens to a value before it is stored: v = max?(v scale + shift + added, 0), each
// part where there is one.
typedef struct {
  // One value a channel, padded with zeros to whole blocks; null for none.
  const float *_Nullable scale, *_Nullable shift;
  // In the layout of the output; null for none.
  const float *_Nullable added;
  int relu;
} kb_finish;

// Statistics of one image and channel, 16 lanes each: the first value f, the sum of
// v - f, the sum of (v - f)².
enum { KB_MOMENT_FLOATS = 3 * KB_LANES };

// How a batch norm's gradient is masked: not at all, where its output y scale + shift is
// positive, or where `output` is.
typedef struct {
  const float *mean, *scale, *shift;
  const float *_Nullable output;
  int relu;
} kb_mask;

// One variant. Ranges [first, end) are of images unless said otherwise, and may run on different threads
// with scratch of their own.
typedef struct {
  // y from x and the packed weights of `kb_pack`; with `moments` [batch][blocks][KB_MOMENT_FLOATS], also
  // those of y. `finish` and `moments` may be null.
  void (*convolve)(const kb_convolution *c, const float *x, const float *packed,
                            float *y, float *scratch, const kb_finish *_Nullable finish,
                            float *_Nullable moments, size_t first, size_t end);
  // dx from dy and the weights packed for the gradient.
  void (*convolve_data)(const kb_convolution *c, const float *dy, const float *packed,
                                 float *dx, float *scratch, size_t first, size_t end);
  // Adds the packed gradient of the weights for output blocks [first, end) to what is there:
  // samples ascending, then pixels.
  void (*convolve_weight)(const kb_convolution *c, const float *x, const float *dy,
                                   float *packed, float *scratch, size_t first, size_t end);

  // The same by Winograd's algorithm F(4 × 4, 3 × 3), where kb_takes_winograd says so, with filters
  // transformed from packed weights; the weights' gradient is written, not added. The gradient of the input
  // is the convolution that kb_mirrored describes, with filters of the gradient.
  void (*winograd_filters)(const kb_convolution *c, const float *packed, float *filters, int gradient);
  void (*winograd)(const kb_convolution *c, const float *x, const float *filters, float *y, float *scratch,
                   const kb_finish *_Nullable finish, float *_Nullable moments, size_t first, size_t end);
  void (*winograd_weight)(const kb_convolution *c, const float *x, const float *dy, float *packed,
                          float *scratch, size_t first, size_t end);

  // The same for one filter a channel; the last one's range is of blocks.
  void (*depthwise)(const kb_convolution *c, const float *x, const float *packed,
                             float *y, float *scratch, const kb_finish *_Nullable finish,
                             float *_Nullable moments, size_t first, size_t end);
  void (*depthwise_data)(const kb_convolution *c, const float *dy, const float *packed,
                                  float *dx, float *scratch, size_t first, size_t end);
  void (*depthwise_weight)(const kb_convolution *c, const float *x, const float *dy,
                                    float *packed, float *scratch, size_t first, size_t end);

  // Statistics of x [batch][blocks][pixels][16].
  void (*moments)(const float *x, float *moments, size_t blocks, size_t pixels, size_t first,
                           size_t end);
  // The mean and the summed squares of the distance to it over a batch, in double, of 16 channels whose
  // moments lie `image` floats apart.
  void (*join_moments)(const float *moments, size_t image, size_t batch, size_t pixels, double *means,
                       double *squares);
  // z = finish(y); z may be y.
  void (*finish)(const float *y, const kb_finish *finish, float *z, size_t blocks,
                          size_t pixels, size_t first, size_t end);
  // Of one image and channel, 16 lanes each: the sum of the masked dz, and of the masked dz times (y - mean).
  // The masked dz is kept in `masked` where that is not null.
  void (*norm_sums)(const float *dz, const float *y, const kb_mask *mask,
                             float *_Nullable masked, float *sums, size_t blocks, size_t pixels, size_t first,
                             size_t end);
  // Both sums over a batch, in double, of 16 channels whose sums lie `image` floats apart.
  void (*join_sums)(const float *sums, size_t image, size_t batch, double *totals);
  // dy = scale (dz' - a - (y - mean) b) with dz' masked; a and b are values a channel, null where
  // statistics are constants.
  void (*norm_gradient)(const float *dz, const float *y, const kb_mask *mask,
                              const float *_Nullable a, const float *_Nullable b, float *dy, size_t blocks,
                              size_t pixels, size_t first, size_t end);
  // The mean over pixels, [batch][blocks][16], and its gradient.
  void (*pixel_means)(const float *x, float *means, size_t blocks, size_t pixels, size_t first,
                               size_t end);
  void (*spread_means)(const float *dmeans, float *dx, size_t blocks, size_t pixels, size_t first,
                                size_t end);
  // y = x times one gate a sample and channel [batch][blocks][16], and the gates' gradient.
  void (*gate)(const float *x, const float *gates, float *y, size_t blocks, size_t pixels,
                        size_t first, size_t end);
  void (*gate_gradient)(const float *x, const float *dy, float *dgates, size_t blocks,
                              size_t pixels, size_t first, size_t end);

  // The planes [h][w][16] in another size, bilinear with half-pixel centres, and its
  // gradient. The range is of planes.
  void (*bilinear)(const float *x, float *y, size_t h, size_t w, size_t oh, size_t ow, size_t first,
                   size_t end);
  void (*bilinear_pullback)(const float *dy, float *dx, size_t h, size_t w, size_t oh, size_t ow,
                            size_t first, size_t end);

  // y channel 2 c is channel c of a, 2 c + 1 that of b, each of `half` channels; and the way back.
  void (*interleave)(const float *a, const float *b, float *y, size_t half, size_t pixels, size_t first,
                     size_t end);
  void (*deinterleave)(const float *y, float *a, float *b, size_t half, size_t pixels, size_t first,
                       size_t end);
  // The same channels, but the first half of them to `low` and the second to `high`; and the way back. The
  // scratch has room for 32 (blocks of half) 16 floats.
  void (*shuffle_halves)(const float *a, const float *b, float *low, float *high, size_t half, size_t pixels,
                         float *scratch, size_t first, size_t end);
  void (*unshuffle_halves)(const float *low, const float *high, float *a, float *b, size_t half,
                           size_t pixels, float *scratch, size_t first, size_t end);
  // y = channels [from, from + count) of x. The scratch has room for 16 (blocks of x_channels + 2) 16 floats.
  void (*copy_channels)(const float *x, size_t x_channels, size_t from, float *y, size_t count, size_t pixels,
                        float *scratch, size_t first, size_t end);
  // y = the channels of a, then those of b. The scratch has room for 16 (blocks of both) 16 floats.
  void (*join_channels)(const float *a, size_t a_channels, const float *b, size_t b_channels, float *y,
                        size_t pixels, float *scratch, size_t first, size_t end);

  // The panels of b, kb_product_panels floats: 16 columns side by side, in the order in which a product reads
  // them. Element (l, j) lies at l row_b + j step_b; one of the two steps is 1.
  void (*product_pack)(const float *b, size_t row_b, size_t step_b, size_t n, size_t k, float *panels);
  // c [m, n] = a b, plus c where `keep`: each element is one chain of fused multiply-adds with k ascending,
  // to which the element of bias [n] is added last, where there is one. Element (i, l) of a lies at i
  // row_a + l step_a, one of which is 1, (i, j) of c at i row_c + j. The scratch has room for
  // kb_product_scratch floats. The range is of rows.
  void (*product)(const float *a, size_t row_a, size_t step_a, const float *panels, float *c, size_t row_c,
                  size_t n, size_t k, int keep, const float *_Nullable bias, float *scratch, size_t first,
                  size_t end);

  // y = x Phi(x), and dx = dy (Phi(x) + x phi(x)), of n elements.
  void (*gelu)(const float *x, float *y, size_t n);
  void (*gelu_pullback)(const float *x, const float *dy, float *dx, size_t n);

  // kb_pack and kb_unpack of dense convolutions.
  void (*pack)(const kb_convolution *c, const float *weights, float *packed, int gradient);
  void (*unpack)(const kb_convolution *c, const float *packed, float *weights, size_t first, size_t end);
} kb_kernels;

// The best variant that the processor has; it has all below as well.
kb_level kb_best_level(void);
// The kernels of a variant, which the processor must have.
const kb_kernels *kb_kernels_of(kb_level level);

// Whether the fast path takes this convolution.
int kb_takes(const kb_convolution *c);
int kb_is_depthwise(const kb_convolution *c);
// Whether Winograd's algorithm computes it, and is worth it.
int kb_takes_winograd(const kb_convolution *c);
// Of the algorithm: floats of scratch for one thread, and of the filters in either direction.
size_t kb_winograd_scratch(const kb_convolution *c);
size_t kb_winograd_filters(const kb_convolution *c);
// The convolution of dy that gives dx: outputs and channels exchanged, for those that
// Winograd's algorithm takes.
kb_convolution kb_mirrored(const kb_convolution *c);
// Floats of the panels of b [k, n], and of scratch for one thread of a product.
size_t kb_product_panels(size_t n, size_t k);
size_t kb_product_scratch(size_t n, size_t k);
// Images that the weights' gradient takes at a time: with fewer of them its sums go to memory more often.
size_t kb_images_at_once(const kb_convolution *c);
// Floats of scratch for one thread of any of the convolution's passes.
size_t kb_scratch(const kb_convolution *c);
// Floats of the packed weights, in either direction.
size_t kb_packed(const kb_convolution *c, int gradient);
// Weights [outputs, channels / groups, kh, kw] in the order in which the kernels read them; with
// `gradient` for convolve_data.
void kb_pack(const kb_kernels *kernels, const kb_convolution *c, const float *weights, float *packed,
             int gradient);
// The other way, from the forward order, for output blocks [first, end).
void kb_unpack(const kb_kernels *kernels, const kb_convolution *c, const float *packed, float *weights,
               size_t first, size_t end);

// [batch, channels, pixels] to the blocked layout and back.
void kb_block(const float *plain, float *blocked, size_t batch, size_t channels, size_t pixels);
void kb_unblock(const float *blocked, float *plain, size_t batch, size_t channels, size_t pixels);

// y channel order[c] = x channel c.
void kb_permute_channels(const float *x, float *y, const int32_t *order, size_t channels, size_t batch,
                         size_t pixels);

// Batch norm's vectors, one value a channel; those with `blocks` are padded to whole blocks, the others have
// `channels` elements. From the images' moments, in double, images ascending: mean, biased variance, and
// scale and shift of the normalisation.
void kb_norm_statistics(const kb_kernels *kernels, const float *moments, size_t batch, size_t channels,
                        size_t pixels, const float *weight, const float *bias, double epsilon, float *mean,
                        float *variance, float *block_mean, float *block_scale, float *block_shift);
// The same vectors from given statistics.
void kb_norm_constants(const float *mean, const float *variance, size_t channels, const float *weight,
                       const float *bias, double epsilon, float *block_mean, float *block_scale,
                       float *block_shift);
// From the images' sums of norm_sums: the gradients of weight and bias, and a and b of norm_gradient.
void kb_norm_gradients(const kb_kernels *kernels, const float *sums, size_t batch, size_t channels,
                       size_t pixels, const float *variance, double epsilon, float *dweight, float *dbias,
                       float *block_a, float *block_b);

#pragma clang assume_nonnull end
