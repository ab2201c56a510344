#include "blocked_plan.h"
#include <math.h>

extern const kb_kernels kb_kernels_basic;
#if defined(__x86_64__)
extern const kb_kernels kb_kernels_avx2, kb_kernels_avx512;
#endif

kb_level kb_best_level(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
    return KB_AVX512;
  if (avx2) return KB_AVX2;
#endif
  return KB_BASIC;
}

const kb_kernels *kb_kernels_of(kb_level level) {
#if defined(__x86_64__)
  if (level == KB_AVX2) return &kb_kernels_avx2;
  if (level == KB_AVX512) return &kb_kernels_avx512;
#endif
  return &kb_kernels_basic;
}

// Plans -----------------------------------------------------------------------------------------------------

int kb_takes(const kb_convolution *c) {
  for (int axis = 0; axis < 2; axis++)
    if (c->kernel[axis] == 0 || c->padding[axis] >= c->kernel[axis]) return 0;
  return c->batch > 0 && c->channels > 0 && c->outputs > 0 && taps_of(c) <= KB_TAPS;
}

int kb_is_depthwise(const kb_convolution *c) {
  return c->groups == c->channels && c->outputs == c->channels && c->groups > 1;
}

int kb_takes_winograd(const kb_convolution *c) {
  for (int axis = 0; axis < 2; axis++)
    if (c->kernel[axis] != 3 || c->stride[axis] != 1 || c->padding[axis] != 1) return 0;
  // Tiles that hang over the edge compute outputs that nobody needs.
  const size_t computed = (c->height + 3) / 4 * ((c->width + 3) / 4) * 16;
  return c->groups == 1 && c->channels >= 32 && c->outputs >= 32 && 2 * c->height * c->width >= computed;
}

size_t kb_images_at_once(const kb_convolution *c) { return images_at_once(c); }

size_t kb_winograd_scratch(const kb_convolution *c) {
  const size_t in_blocks = blocks_of(c->channels), out_blocks = blocks_of(c->outputs);
  return 36 * KB_LANES *
         ((in_blocks + out_blocks) * winograd_room(c) + 2 + in_blocks * out_blocks * KB_LANES);
}

size_t kb_winograd_filters(const kb_convolution *c) {
  return 36 * blocks_of(c->channels) * blocks_of(c->outputs) * KB_LANES * KB_LANES;
}

kb_convolution kb_mirrored(const kb_convolution *c) {
  kb_convolution mirrored = *c;
  mirrored.channels = c->outputs;
  mirrored.outputs = c->channels;
  return mirrored;
}

size_t kb_product_panels(size_t n, size_t k) { return k * product_columns(n); }

size_t kb_product_scratch(size_t n, size_t k) {
  return product_columns(n) + smaller(PRODUCT_DEPTH, k) * PRODUCT_ROWS;
}

size_t kb_scratch(const kb_convolution *c) {
  const frame forward = forward_frame(c), backward = backward_frame(c);
  if (kb_is_depthwise(c)) return larger(frame_floats(&forward), frame_floats(&backward));
  return larger(frame_floats(&forward) * blocks_of(c->channels) * images_at_once(c),
                frame_floats(&backward) * blocks_of(c->outputs));
}

size_t kb_packed(const kb_convolution *c, int gradient) {
  if (kb_is_depthwise(c)) return blocks_of(c->channels) * taps_of(c) * KB_LANES;
  const reach r = gradient ? backward_reach(c) : forward_reach(c);
  return blocks_of(r.to) * r.span * taps_of(c) * KB_LANES * KB_LANES;
}

// Weights ---------------------------------------------------------------------------------------------------

// Packed order: [output block][block of its reach][tap][input lane][output lane];
// depthwise [block][tap][lane].

static void pack_depthwise(const kb_convolution *c, const float *weights, float *packed) {
  const size_t taps = taps_of(c);
  memset(packed, 0, kb_packed(c, 0) * sizeof(float));
  for (size_t channel = 0; channel < c->channels; channel++)
    for (size_t t = 0; t < taps; t++)
      packed[(channel / KB_LANES * taps + t) * KB_LANES + channel % KB_LANES] = weights[channel * taps + t];
}


// Visits the packed places of output block `block` and lends the weight of each: one direction
// copies there, the other back.
#define VISIT_WEIGHTS(c, block, gradient, visit)                                                             \
  do {                                                                                                       \
    const reach r_ = (gradient) ? backward_reach(c) : forward_reach(c);                                      \
    const size_t taps_ = taps_of(c), start_ = reach_start(&r_, block);                                       \
    const size_t depth_ = (c)->channels / (c)->groups, width_ = (c)->outputs / (c)->groups;                  \
    for (size_t s_ = 0; s_ < r_.span; s_++)                                                                  \
      for (size_t to_ = 0; to_ < lanes_of(r_.to, block); to_++)                                              \
        for (size_t from_ = 0; from_ < lanes_of(r_.from, start_ + s_); from_++) {                            \
          const size_t target_ = (block) * KB_LANES + to_, source_ = (start_ + s_) * KB_LANES + from_;       \
          const size_t out_ = (gradient) ? source_ : target_, in_ = (gradient) ? target_ : source_;          \
          if (out_ / width_ != in_ / depth_) continue;                                                       \
          const size_t weight = (out_ * depth_ + in_ % depth_) * taps_;                                      \
          const size_t place = (((block) * r_.span + s_) * taps_ * KB_LANES + from_) * KB_LANES + to_;       \
          for (size_t t = 0; t < taps_; t++) visit(weight + t, place + t * KB_LANES * KB_LANES);             \
        }                                                                                                    \
  } while (0)

void kb_pack(const kb_kernels *kernels, const kb_convolution *c, const float *weights, float *packed,
             int gradient) {
  if (kb_is_depthwise(c)) return pack_depthwise(c, weights, packed);
  if (c->groups == 1) return kernels->pack(c, weights, packed, gradient);
  memset(packed, 0, kb_packed(c, gradient) * sizeof(float));
  const size_t blocks = blocks_of(gradient ? c->channels : c->outputs);
#define TAKE(weight, place) packed[place] = weights[weight]
  for (size_t b = 0; b < blocks; b++) VISIT_WEIGHTS(c, b, gradient, TAKE);
}

void kb_unpack(const kb_kernels *kernels, const kb_convolution *c, const float *packed, float *weights,
               size_t first, size_t end) {
  const size_t taps = taps_of(c);
  if (kb_is_depthwise(c)) {
    for (size_t channel = first * KB_LANES; channel < smaller(end * KB_LANES, c->channels); channel++)
      for (size_t t = 0; t < taps; t++)
        weights[channel * taps + t] = packed[(channel / KB_LANES * taps + t) * KB_LANES + channel % KB_LANES];
    return;
  }
  if (c->groups == 1) return kernels->unpack(c, packed, weights, first, end);
#define GIVE(weight, place) weights[weight] = packed[place]
  for (size_t b = first; b < end; b++) VISIT_WEIGHTS(c, b, 0, GIVE);
}

// Layouts ---------------------------------------------------------------------------------------------------

void kb_block(const float *plain, float *blocked, size_t batch, size_t channels, size_t pixels) {
  for (size_t n = 0; n < batch; n++)
    for (size_t b = 0; b < blocks_of(channels); b++) {
      const size_t lanes = lanes_of(channels, b);
      const float *from = plain + (n * channels + b * KB_LANES) * pixels;
      for (size_t i = 0; i < pixels; i++, blocked += KB_LANES) {
        for (size_t l = 0; l < lanes; l++) blocked[l] = from[l * pixels + i];
        for (size_t l = lanes; l < KB_LANES; l++) blocked[l] = 0;
      }
    }
}

void kb_unblock(const float *blocked, float *plain, size_t batch, size_t channels, size_t pixels) {
  for (size_t n = 0; n < batch; n++)
    for (size_t b = 0; b < blocks_of(channels); b++) {
      const size_t lanes = lanes_of(channels, b);
      float *to = plain + (n * channels + b * KB_LANES) * pixels;
      for (size_t i = 0; i < pixels; i++, blocked += KB_LANES)
        for (size_t l = 0; l < lanes; l++) to[l * pixels + i] = blocked[l];
    }
}

void kb_permute_channels(const float *x, float *y, const int32_t *order, size_t channels, size_t batch,
                         size_t pixels) {
  const size_t block = pixels * KB_LANES, image = blocks_of(channels) * block;
  const size_t rest = blocks_of(channels) * KB_LANES - channels;
  for (size_t n = 0; n < batch; n++) {
    for (size_t c = 0; c < channels; c++) {
      const size_t target = (size_t)order[c];
      const float *p = x + n * image + c / KB_LANES * block + c % KB_LANES;
      float *q = y + n * image + target / KB_LANES * block + target % KB_LANES;
      for (size_t i = 0; i < block; i += KB_LANES) q[i] = p[i];
    }
    float *last = y + (n + 1) * image - block + (KB_LANES - rest);
    for (size_t i = 0; i < block; i += KB_LANES)
      for (size_t l = 0; l < rest; l++) last[i + l] = 0;
  }
}

// Batch norm ------------------------------------------------------------------------------------------------

static void norm_vectors(size_t c, double mean, double variance, const float *weight, const float *bias,
                         double epsilon, float *block_mean, float *block_scale, float *block_shift) {
  const double scale = weight[c] / sqrt(variance + epsilon);
  block_mean[c] = (float)mean;
  block_scale[c] = (float)scale;
  // From the rounded scale, so that a constant channel becomes its bias.
  block_shift[c] = (float)(bias[c] - mean * block_scale[c]);
}

static void clear_tail(size_t channels, float *v) {
  for (size_t c = channels; c < blocks_of(channels) * KB_LANES; c++) v[c] = 0;
}

void kb_norm_statistics(const kb_kernels *kernels, const float *moments, size_t batch, size_t channels,
                        size_t pixels, const float *weight, const float *bias, double epsilon, float *mean,
                        float *variance, float *block_mean, float *block_scale, float *block_shift) {
  const size_t blocks = blocks_of(channels);
  const double count = (double)batch * (double)pixels;
  for (size_t b = 0; b < blocks; b++) {
    double centers[KB_LANES], squares[KB_LANES];
    kernels->join_moments(moments + b * KB_MOMENT_FLOATS, blocks * KB_MOMENT_FLOATS, batch, pixels, centers,
                          squares);
    for (size_t l = 0; l < lanes_of(channels, b); l++) {
      const size_t c = b * KB_LANES + l;
      const double value = squares[l] > 0 ? squares[l] / count : 0;
      mean[c] = (float)centers[l];
      variance[c] = (float)value;
      norm_vectors(c, centers[l], value, weight, bias, epsilon, block_mean, block_scale, block_shift);
    }
  }
  clear_tail(channels, block_mean);
  clear_tail(channels, block_scale);
  clear_tail(channels, block_shift);
}

void kb_norm_constants(const float *mean, const float *variance, size_t channels, const float *weight,
                       const float *bias, double epsilon, float *block_mean, float *block_scale,
                       float *block_shift) {
  for (size_t c = 0; c < channels; c++)
    norm_vectors(c, mean[c], variance[c], weight, bias, epsilon, block_mean, block_scale, block_shift);
  clear_tail(channels, block_mean);
  clear_tail(channels, block_scale);
  clear_tail(channels, block_shift);
}

void kb_norm_gradients(const kb_kernels *kernels, const float *sums, size_t batch, size_t channels,
                       size_t pixels, const float *variance, double epsilon, float *dweight, float *dbias,
                       float *block_a, float *block_b) {
  const size_t blocks = blocks_of(channels);
  const double count = (double)batch * (double)pixels;
  for (size_t b = 0; b < blocks; b++) {
    double totals[2 * KB_LANES];
    kernels->join_sums(sums + b * 2 * KB_LANES, blocks * 2 * KB_LANES, batch, totals);
    for (size_t l = 0; l < lanes_of(channels, b); l++) {
      const size_t c = b * KB_LANES + l;
      const double sum = totals[l], product = totals[KB_LANES + l],
                   inverse = 1 / sqrt((double)variance[c] + epsilon);
      dbias[c] = (float)sum;
      dweight[c] = (float)(product * inverse);
      block_a[c] = (float)(sum / count);
      block_b[c] = (float)(product * inverse * inverse / count);
    }
  }
  clear_tail(channels, block_a);
  clear_tail(channels, block_b);
}
