#include "fill.h"

static uint64_t word(uint64_t hash, size_t i) {
  uint64_t z = hash + (i + 1) * 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

double fill_unit(uint64_t hash, size_t i) {
  const int64_t m = (int64_t)(word(hash, i) >> 40);
  return (double)(2 * m + 1 - (1 << 24)) / (double)(1 << 24);
}

void fill_values(uint64_t hash, double offset, double scale, double *values, size_t n) {
  for (size_t i = 0; i < n; i++) values[i] = (double)(float)(offset + scale * fill_unit(hash, i));
}

void fill_triple(uint64_t hash, const double *values, double *triple, size_t n) {
  double sum = 0, square = 0, probe = 0;
  for (size_t i = 0; i < n; i++) {
    sum += values[i];
    square += values[i] * values[i];
    probe += values[i] * fill_unit(hash, i);
  }
  triple[0] = sum;
  triple[1] = square;
  triple[2] = probe;
}
