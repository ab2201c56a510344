// A file `x.inc` is written once in terms of REAL and NAME and included for each precision; DISPATCH then chooses at run time.
#pragma once
#include "kernels.h"
#define DISPATCH(p, f, ...) ((p) == K_SINGLE ? f##_f(__VA_ARGS__) : f##_d(__VA_ARGS__))

enum { LANES = 8 };

// The eight partial sums in their one order.
static inline double lanes_total(const double *lane) {
  double total = 0;
  for (int l = 0; l < LANES; l++) total += lane[l];
  return total;
}
