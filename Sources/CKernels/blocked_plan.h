// What all variants share: which blocks meet which, and how images lie in the scratch.
#pragma once
#include "blocked.h"
#include <string.h>

static inline size_t blocks_of(size_t channels) { return (channels + KB_LANES - 1) / KB_LANES; }
static inline size_t smaller(size_t a, size_t b) { return a < b ? a : b; }
static inline size_t larger(size_t a, size_t b) { return a > b ? a : b; }
static inline size_t taps_of(const kb_convolution *c) { return c->kernel[0] * c->kernel[1]; }
// Real channels of a block.
static inline size_t lanes_of(size_t channels, size_t block) {
  return smaller(KB_LANES, channels - block * KB_LANES);
}

// The blocks of `from` channels that an output block of `to` channels reads: `span` of them from start(block)
// on. With groups these are few.
typedef struct {
  size_t from, to, groups, span;
} reach;

static inline void reach_bounds(const reach *r, size_t block, size_t *low, size_t *high) {
  const size_t each = r->to / r->groups, source = r->from / r->groups;
  const size_t last = smaller((block + 1) * KB_LANES, r->to) - 1;
  *low = block * KB_LANES / each * source / KB_LANES;
  *high = ((last / each + 1) * source - 1) / KB_LANES + 1;
}

static inline reach reach_of(size_t from, size_t to, size_t groups) {
  reach r = {from, to, groups, 0};
  for (size_t b = 0; b < blocks_of(to); b++) {
    size_t low, high;
    reach_bounds(&r, b, &low, &high);
    r.span = larger(r.span, high - low);
  }
  return r;
}

static inline size_t reach_start(const reach *r, size_t block) {
  size_t low, high;
  reach_bounds(r, block, &low, &high);
  return smaller(low, blocks_of(r->from) - r->span);
}

// Whether groups are so narrow that the halves of a block have nothing to do with each other.
static inline int is_halved(const reach *r) {
  return r->groups > 1 && r->from == r->to && KB_LANES / 2 % (r->from / r->groups) == 0;
}

static inline reach forward_reach(const kb_convolution *c) {
  return reach_of(c->channels, c->outputs, c->groups);
}
static inline reach backward_reach(const kb_convolution *c) {
  return reach_of(c->outputs, c->channels, c->groups);
}

// An image block with a margin of zeros.
typedef struct {
  size_t top, left, height, width;
} frame;

static inline size_t frame_floats(const frame *f) { return f->height * f->width * KB_LANES; }

// The input with its padding, up to the last pixel that a window touches.
static inline frame forward_frame(const kb_convolution *c) {
  frame f = {c->padding[0], c->padding[1],
             larger((c->out_height - 1) * c->stride[0] + c->kernel[0], c->height + c->padding[0]),
             larger((c->out_width - 1) * c->stride[1] + c->kernel[1], c->width + c->padding[1])};
  return f;
}

// Where output gradients count for input position a + s i: those of outputs i + offset.
static inline long phase_offset(const kb_convolution *c, int axis, size_t a, size_t tap) {
  return ((long)(a + c->padding[axis]) - (long)tap) / (long)c->stride[axis];
}
static inline int phase_has(const kb_convolution *c, int axis, size_t a, size_t tap) {
  return (a + c->padding[axis] + c->stride[axis] * c->kernel[axis] - tap) % c->stride[axis] == 0;
}

// The output's gradient with the margin that its windows need.
static inline frame backward_frame(const kb_convolution *c) {
  size_t before[2], size[2];
  for (int axis = 0; axis < 2; axis++) {
    const size_t extent = axis ? c->width : c->height, out = axis ? c->out_width : c->out_height;
    long low = 0, high = (long)out;
    for (size_t a = 0; a < c->stride[axis] && a < extent; a++)
      for (size_t t = 0; t < c->kernel[axis]; t++) {
        if (!phase_has(c, axis, a, t)) continue;
        const long offset = phase_offset(c, axis, a, t);
        const long count = (long)((extent - a + c->stride[axis] - 1) / c->stride[axis]);
        if (offset < low) low = offset;
        if (offset + count > high) high = offset + count;
      }
    before[axis] = (size_t)-low;
    size[axis] = (size_t)(high - low);
  }
  frame f = {before[0], before[1], size[0], size[1]};
  return f;
}

static inline int needs_frame(const frame *f, size_t height, size_t width) {
  return f->top > 0 || f->left > 0 || f->height > height || f->width > width;
}

// Images that the weights' gradient takes at a time, so that its sums stay in registers for long.
static inline size_t images_at_once(const kb_convolution *c) {
  const size_t pixels = c->out_height * c->out_width;
  return smaller(larger(c->batch, 1), smaller(16, (255 + pixels) / pixels));
}

// Winograd's tiles that a forward pass takes at a time, whole wide tiles of a row; and those that the
// weights' gradient takes: where its sums are large, they should be read and written seldom.
enum { TILES_AT_ONCE = 24 };
static inline size_t winograd_room(const kb_convolution *c) {
  return c->channels >= 128 ? 64 : TILES_AT_ONCE;
}

// Of a matrix product at once: rows and steps of k, of which the second cache holds a block; and its columns
// in whole panels of any variant.
enum { PRODUCT_ROWS = 96, PRODUCT_DEPTH = 256 };
static inline size_t product_columns(size_t n) {
  return (n + 2 * KB_LANES - 1) / (2 * KB_LANES) * (2 * KB_LANES);
}
