// The element loops of the fixtures' fill rule: large networks have tens of millions of elements, and
// tests run in debug builds.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "jpeg.h"

// (2 m + 1 - 2^24) / 2^24 with m the upper 24 bits of word i of a hash: in (-1, 1).
double fill_unit(uint64_t hash, size_t i);
// values[i] = offset + scale unit(i), rounded to single precision.
void fill_values(uint64_t hash, double offset, double scale, double *values, size_t n);
// Sum, sum of squares and the sum of values[i] unit(i), each in ascending order.
void fill_triple(uint64_t hash, const double *values, double *triple, size_t n);
