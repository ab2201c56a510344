#include "precision.h"
#include <math.h>
#include <stdlib.h>

#define REAL float
#define NAME(f) f##_f
#include "softmax.inc"
#undef REAL
#undef NAME
#define REAL double
#define NAME(f) f##_d
#include "softmax.inc"

void k_softmax(k_precision p, const void *x, void *y, size_t rows, size_t columns) {
  DISPATCH(p, softmax, x, y, rows, columns);
}
void k_softmax_pullback(k_precision p, const void *y, const void *dy, void *dx, size_t rows, size_t columns) {
  DISPATCH(p, softmax_pullback, y, dy, dx, rows, columns);
}
void k_log_softmax(k_precision p, const void *x, void *y, size_t rows, size_t columns) {
  DISPATCH(p, log_softmax, x, y, rows, columns);
}
void k_log_softmax_pullback(k_precision p, const void *y, const void *dy, void *dx, size_t rows,
                            size_t columns) {
  DISPATCH(p, log_softmax_pullback, y, dy, dx, rows, columns);
}
void k_kl(k_precision p, const void *student, const void *teacher, double temperature, void *loss,
          size_t rows, size_t columns) {
  DISPATCH(p, kl, student, teacher, temperature, loss, rows, columns);
}
void k_kl_pullback(k_precision p, const void *student, const void *teacher, double temperature,
                   const void *dloss, void *dstudent, size_t rows, size_t columns) {
  DISPATCH(p, kl_pullback, student, teacher, temperature, dloss, dstudent, rows, columns);
}
void k_pick(k_precision p, const void *x, const int64_t *index, void *y, size_t rows, size_t columns) {
  DISPATCH(p, pick, x, index, y, rows, columns);
}
void k_pick_pullback(k_precision p, const void *dy, const int64_t *index, void *dx, size_t rows,
                     size_t columns) {
  DISPATCH(p, pick_pullback, dy, index, dx, rows, columns);
}
