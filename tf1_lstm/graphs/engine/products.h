/* Matrix products by register tiles. Each element's sum runs over k in order, from its first summand on. */
#ifndef TF1_LSTM_PRODUCTS_H
#define TF1_LSTM_PRODUCTS_H

#include "vector.h"
#include <stdint.h>
#include <string.h>

#define PANEL (2 * WIDTH)

/* out[m] = in[m] (0: zeros) + sum over k of a[m][k] * panel[k], m < rows: a tile of rows x PANEL. */
INLINE void tile(const int rows, int64_t depth, const float *a, int64_t lda, const float *panel,
                 const float *const *in, int64_t column, float *out, int64_t ldo) {
  vec sums[TILE_ROWS][2];
#pragma GCC unroll 16
  for (int m = 0; m < rows; m++) {
    sums[m][0] = in ? load(in[m] + column) : all(0.f);
    sums[m][1] = in ? load(in[m] + column + WIDTH) : all(0.f);
  }
  for (int64_t k = 0; k < depth; k++, panel += PANEL) {
    const vec left = load(panel), right = load(panel + WIDTH);
#pragma GCC unroll 16
    for (int m = 0; m < rows; m++) {
      const vec factor = all(a[m * lda + k]);
      sums[m][0] = fma_(factor, left, sums[m][0]);
      sums[m][1] = fma_(factor, right, sums[m][1]);
    }
  }
#pragma GCC unroll 16
  for (int m = 0; m < rows; m++) {
    store(out + m * ldo, sums[m][0]);
    store(out + m * ldo + WIDTH, sums[m][1]);
  }
}

/* to[m] += sum over r of a[r][m] * d[r], m < count: a tile of count x PANEL. The sum begins at zero. */
INLINE void transposed_tile(const int count, int64_t rows, const float *a, int64_t lda, const float *d,
                            int64_t ldd, float *to, int64_t ldt) {
  vec sums[TILE_SUMS][2];
#pragma GCC unroll 16
  for (int m = 0; m < count; m++) sums[m][0] = sums[m][1] = all(0.f);
  for (int64_t r = 0; r < rows; r++, a += lda, d += ldd) {
    const vec left = load(d), right = load(d + WIDTH);
#pragma GCC unroll 16
    for (int m = 0; m < count; m++) {
      const vec factor = all(a[m]);
      sums[m][0] = fma_(factor, left, sums[m][0]);
      sums[m][1] = fma_(factor, right, sums[m][1]);
    }
  }
#pragma GCC unroll 16
  for (int m = 0; m < count; m++) {
    store(to + m * ldt, load(to + m * ldt) + sums[m][0]);
    store(to + m * ldt + WIDTH, load(to + m * ldt + WIDTH) + sums[m][1]);
  }
}

/* A call with a constant number of rows for each that occurs: no row is calculated in vain. */
#define EACH_SMALL(call) case 1: call(1); break; case 2: call(2); break; case 3: call(3); break; \
  case 4: call(4); break; case 5: call(5); break;
#if TILE_ROWS == 12
#define EACH(call) EACH_SMALL(call) case 6: call(6); break; case 7: call(7); break; case 8: call(8); break; \
  case 9: call(9); break; case 10: call(10); break; case 11: call(11); break; default: call(12);
#else
#define EACH(call) EACH_SMALL(call) default: call(6);
#endif

/* Tiles of about the same size: a small one at the end would read as much for little. */
INLINE int64_t even_size(int64_t count, int64_t most) {
  const int64_t tiles = (count + most - 1) / most;
  return tiles ? (count + tiles - 1) / tiles : 1;
}

/* `tile` for any number of rows up to CHUNK_ROWS or PRODUCT_ROWS. */
static void rows_times_panel(int64_t rows, int64_t depth, const float *a, int64_t lda, const float *panel,
                             const float *const *in, int64_t column, float *out, int64_t ldo) {
  const int64_t size = even_size(rows, TILE_ROWS);
  for (int64_t m = 0; m < rows; m += size, a += size * lda, out += size * ldo) {
    const float *const *from = in ? in + m : 0;
#define CALL(count) tile(count, depth, a, lda, panel, from, column, out, ldo)
    switch (rows - m < size ? rows - m : size) { EACH(CALL) }
#undef CALL
  }
}

/* to [width, columns] += a [rows, width] transposed x d [rows, columns]; columns a multiple of PANEL. */
static void add_transposed(int64_t rows, int64_t width, int64_t columns, const float *a, int64_t lda,
                           const float *d, int64_t ldd, float *to, int64_t ldt) {
  const int64_t size = even_size(width, TILE_SUMS);
  for (int64_t column = 0; column < columns; column += PANEL)
    for (int64_t m = 0; m < width; m += size) {
#define CALL(count) transposed_tile(count, rows, a + m, lda, d + column, ldd, to + m * ldt + column, ldt)
      switch (width - m < size ? width - m : size) { EACH(CALL) }
#undef CALL
    }
}

/* All panels of a packed factor; the columns of out are a multiple of PANEL. */
static void rows_times_panels(int64_t rows, int64_t depth, const float *a, int64_t lda, const float *packed,
                              int64_t panel_depth, int64_t columns, const float *const *in, float *out,
                              int64_t ldo) {
  for (int64_t column = 0; column < columns; column += PANEL)
    rows_times_panel(rows, depth, a, lda, packed + column * panel_depth, in, column, out + column, ldo);
}

#endif
