/* The jobs of one instruction set, compiled once for each (-DENGINE_BUILD_AVX512, _AVX2, _AVX). */
#include "kernels.h"
#include "cells.h"
#include "products.h"

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* Ask for memory that is used soon: other work hides its way. */
static void fetch(const float *from, int64_t floats) {
  for (int64_t u = 0; u < floats; u += 64 / (int64_t)sizeof *from) __builtin_prefetch(from + u, 0, 2);
}

/* ---- weights as panels: [columns / PANEL][depth][PANEL] ---- */

/* A panel lies within one gate: the padded units are a multiple of every panel's width. */
static void pack(float *to, const float *kernel, int64_t width, int64_t gates, int64_t units, int64_t depth) {
  const int64_t p = engine_padded(units);
  for (int64_t gate = 0; gate < gates; gate++)
    for (int64_t unit = 0; unit < p; unit += PANEL, to += (depth - width) * PANEL) {
      const int64_t count = unit < units ? least(PANEL, units - unit) : 0;
      for (int64_t k = 0; k < width; k++, to += PANEL) {
        const float *from = kernel + (k * gates + gate) * units + unit;
        for (int64_t n = 0; n < PANEL; n++) to[n] = n < count ? from[n] : 0.f;
      }
    }
}

/* Columns: the kernel's rows, padded; depth: its columns with padded units. */
static void pack_transposed(float *to, const float *kernel, int64_t width, int64_t gates, int64_t units) {
  const int64_t p = engine_padded(units), columns = engine_padded(width), depth = gates * p;
  memset(to, 0, (size_t)(columns * depth) * sizeof(float));
  for (int64_t n = 0; n < width; n++)
    for (int64_t gate = 0; gate < gates; gate++) {
      const float *from = kernel + (n * gates + gate) * units;
      float *column = to + n / PANEL * PANEL * depth + gate * p * PANEL + n % PANEL;
      for (int64_t unit = 0; unit < units; unit++) column[unit * PANEL] = from[unit];
    }
}

/* ---- products ---- */

static void product_job(const void *work, int64_t job, float *scratch) {
  const Product *w = work;
  const int64_t first = job * PRODUCT_ROWS, rows = least(PRODUCT_ROWS, w->rows - first);
  const int64_t lda = w->width + ALIASING;
  float *a = scratch, *part = scratch + PRODUCT_ROWS * lda;
  const float *bias[PRODUCT_ROWS];
  for (int64_t m = 0; m < rows; m++) {
    memcpy(a + m * lda, w->a + (first + m) * w->width, (size_t)w->width * sizeof(float));
    bias[m] = w->bias;
  }
  for (int64_t column = 0; column < w->padded; column += PANEL) {
    const float *panel = w->packed + column * w->width;
    const float *const *in = w->bias ? bias : 0;
    float *out = w->out + first * w->columns + column;
    if (column + PANEL <= w->columns) {
      rows_times_panel(rows, w->width, a, lda, panel, in, column, out, w->columns);
    } else if (column < w->columns) {
      rows_times_panel(rows, w->width, a, lda, panel, in, column, part, PANEL);
      for (int64_t m = 0; m < rows; m++)
        memcpy(out + m * w->columns, part + m * PANEL, (size_t)(w->columns - column) * sizeof(float));
    }
  }
}

/* Rows of d as panels, so that a tile reads them one behind the other. */
static void pack_rows(float *to, const float *d, int64_t rows, int64_t columns) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t column = 0; column < columns; column += WIDTH)
      store(to + column / PANEL * PANEL * rows + r * PANEL + column % PANEL, load(d + r * columns + column));
}

/* One group of rows; a one behind each row of a gives the column sums of d as the last row. */
static void product_transposed_job(const void *work, int64_t job, float *scratch) {
  const Product *w = work;
  const int64_t blocks = (w->rows + SUM_ROWS - 1) / SUM_ROWS, lda = w->width + 1 + ALIASING;
  float *a = scratch, *d = scratch + SUM_ROWS * lda, *total = w->out + job * (w->width + 1) * w->padded;
  memset(total, 0, (size_t)((w->width + 1) * w->padded) * sizeof(float));
  for (int64_t block = blocks * job / w->groups; block < blocks * (job + 1) / w->groups; block++) {
    const int64_t first = block * SUM_ROWS, rows = least(SUM_ROWS, w->rows - first);
    for (int64_t r = 0; r < rows; r++) {
      memcpy(a + r * lda, w->a + (first + r) * w->width, (size_t)w->width * sizeof(float));
      a[r * lda + w->width] = 1.f;
    }
    pack_rows(d, w->d + first * w->padded, rows, w->padded);
    for (int64_t column = 0; column < w->padded; column += PANEL)
      add_transposed(rows, w->width + 1, PANEL, a, lda, d + column * rows, PANEL, total + column, w->padded);
  }
}

/* ---- sums of rows; a job has some of the columns ---- */

static void job_columns(const Sum *w, int64_t job, int64_t *first, int64_t *end) {
  const int64_t parts = w->width / UNIT_PADDING;
  *first = parts * job / w->jobs * UNIT_PADDING;
  *end = parts * (job + 1) / w->jobs * UNIT_PADDING;
}

static void add_row(float *to, const float *from, int64_t first, int64_t end) {
  for (int64_t u = first; u < end; u += WIDTH) store(to + u, load(to + u) + load(from + u));
}

static void sum_by_index_job(const void *work, int64_t job, float *scratch) {
  const Sum *w = work;
  int64_t first, end;
  (void)scratch;
  job_columns(w, job, &first, &end);
  for (int64_t k = 0; k < w->targets; k++) memset(w->to + k * w->width + first, 0, (size_t)(end - first) * 4);
  for (int64_t r = 0; r < w->rows; r++) {
    if (r + SUM_AHEAD < w->rows) fetch(w->to + w->index[r + SUM_AHEAD] * w->width + first, end - first);
    add_row(w->to + w->index[r] * w->width, w->from + r * w->width, first, end);
  }
}

static void sum_all_job(const void *work, int64_t job, float *scratch) {
  const Sum *w = work;
  int64_t first, end;
  job_columns(w, job, &first, &end);
  memset(w->to + first, 0, (size_t)(end - first) * 4);
  for (int64_t block = 0; block < w->rows; block += SUM_ROWS) {
    memset(scratch + first, 0, (size_t)(end - first) * 4);
    for (int64_t r = block; r < least(block + SUM_ROWS, w->rows); r++)
      add_row(scratch, w->from + r * w->width, first, end);
    add_row(w->to, scratch, first, end);
  }
}

/* ---- a layer: one chunk of examples over all steps ---- */

static int64_t length_of(const Layer *l, int64_t example) {
  return l->given.lengths ? l->given.lengths[example] : l->given.steps;
}

/* Where example reads and writes at its s-th step. */
static int64_t place_of(const Layer *l, int64_t example, int64_t s) {
  return example * l->given.steps + (l->given.reverse ? length_of(l, example) - 1 - s : s);
}

static const float *projected_at(const Layer *l, int64_t place) {
  return l->projected + (l->given.index ? l->given.index[place] : place) * l->width;
}

static const float *inputs_at(const Layer *l, int64_t place) {
  return l->given.inputs + place * l->given.inputs_width;
}

static float *kept_at(const Layer *l, int64_t chunk, int64_t s, int64_t m) {
  const int64_t row = engine_kept(l->given.cell) * l->padded;
  return l->saved + ((chunk * l->given.steps + s) * l->chunk_rows + m) * row;
}

static int64_t longest(const Layer *l, int64_t first, int64_t rows) {
  int64_t found = 0;
  for (int64_t m = 0; m < rows; m++)
    if (length_of(l, first + m) > found) found = length_of(l, first + m);
  return found;
}

/* What the next step reads, and what this one keeps. */
static void fetch_forward(const Layer *l, int64_t first, int64_t rows, int64_t s, float *const *kept) {
  for (int64_t m = 0; m < rows; m++) {
    if (s + 1 < length_of(l, first + m)) {
      const int64_t place = place_of(l, first + m, s + 1);
      if (l->given.inputs) fetch(inputs_at(l, place), l->given.inputs_width);
      else fetch(projected_at(l, place), l->width);
    }
    if (l->saved) fetch(kept[m], engine_kept(l->given.cell) * l->padded);
  }
}

/* What the next step back reads and writes. */
static void fetch_backward(const Layer *l, int64_t chunk, int64_t first, int64_t rows, int64_t s) {
  for (int64_t m = 0; m < rows; m++) {
    if (s > 1) fetch(kept_at(l, chunk, s - 2, m), engine_kept(l->given.cell) * l->padded);
    if (!s || s - 1 >= length_of(l, first + m)) continue;
    const int64_t place = place_of(l, first + m, s - 1);
    if (l->d_projected) fetch(l->d_projected + place * l->width, l->width);
    if (l->given.inputs) fetch(inputs_at(l, place), l->given.inputs_width);
    if (l->d_outputs) fetch(l->d_outputs + place * l->given.units, l->given.units);
  }
}

static void forward_job(const void *work, int64_t chunk, float *scratch) {
  const Layer *l = work;
  const enum engine_cell cell = l->given.cell;
  const int64_t p = l->padded, units = l->given.units, first = chunk * l->chunk_rows;
  const int64_t rows = least(l->chunk_rows, l->given.batch - first);
  const int64_t in_front = l->in_front, depth = in_front + units;
  const int64_t ldg = l->width + ALIASING, ldh = in_front + p + ALIASING;
  /* Rows that the weights are multiplied with, and the states in them. */
  float *g = scratch, *left = g + CHUNK_ROWS * ldg, *reset_left = left + CHUNK_ROWS * ldh;
  float *h = left + in_front, *reset_h = reset_left + in_front;
  float *c = reset_left + CHUNK_ROWS * ldh, *unsaved = c + CHUNK_ROWS * p;
  const size_t row_bytes = (size_t)units * sizeof(float), front_bytes = (size_t)in_front * sizeof(float);
  memset(left, 0, (size_t)(CHUNK_ROWS * ldh) * sizeof(float));
  memset(reset_left, 0, (size_t)(CHUNK_ROWS * ldh) * sizeof(float));
  memset(c, 0, (size_t)(CHUNK_ROWS * p) * sizeof(float));
  for (int64_t m = 0; l->outputs && m < rows; m++) {
    const int64_t length = length_of(l, first + m);
    memset(l->outputs + ((first + m) * l->given.steps + length) * units, 0,
           (size_t)(l->given.steps - length) * row_bytes);
  }
  const int64_t steps = longest(l, first, rows);
  for (int64_t s = 0; s < steps; s++) {
    const float *x[CHUNK_ROWS], *in[CHUNK_ROWS];
    float *kept[CHUNK_ROWS];
    for (int64_t m = 0; m < rows; m++) {
      const int active = s < length_of(l, first + m);
      const int64_t place = place_of(l, first + m, s);
      x[m] = !active ? 0 : l->given.inputs ? l->bias : projected_at(l, place);
      in[m] = !active ? g + m * ldg : cell == RESET_AFTER_GRU ? l->extra : x[m];
      if (active && l->given.inputs) {
        memcpy(left + m * ldh, inputs_at(l, place), front_bytes);
        if (cell == GRU) memcpy(reset_left + m * ldh, inputs_at(l, place), front_bytes);
      }
      kept[m] = l->saved ? kept_at(l, chunk, s, m) : unsaved + m * engine_kept(cell) * p;
    }
    fetch_forward(l, first, rows, s, kept);
    const int64_t at_once = cell == GRU ? 2 * p : l->width;
    rows_times_panels(rows, depth, left, ldh, l->weights, depth, at_once, in, g, ldg);
    if (cell == GRU) {
      for (int64_t m = 0; m < rows; m++)
        if (x[m]) {
          gru_gates(l, g + m * ldg, h + m * ldh, reset_h + m * ldh, kept[m]);
          in[m] = x[m] + 2 * p;
        }
      rows_times_panels(rows, depth, reset_left, ldh, l->weights + 2 * p * depth, depth, p, in, g + 2 * p, ldg);
    }
    for (int64_t m = 0; m < rows; m++) {
      if (!x[m]) continue;
      float *gm = g + m * ldg, *hm = h + m * ldh;
      if (cell == BASIC_RNN) rnn_step(l, gm, hm, kept[m]);
      else if (cell == GRU) gru_step(l, gm, hm, kept[m]);
      else if (cell == RESET_AFTER_GRU) reset_after_step(l, gm, x[m], hm, kept[m]);
      else lstm_step(l, gm, c + m * p, hm, kept[m]);
      if (l->outputs) memcpy(l->outputs + place_of(l, first + m, s) * units, hm, row_bytes);
    }
  }
  for (int64_t m = 0; m < rows; m++) {
    memcpy(l->last_h + (first + m) * units, h + m * ldh, row_bytes);
    if (l->last_c) memcpy(l->last_c + (first + m) * units, c + m * p, row_bytes);
  }
}

/* Scratch of one chunk on its way back. */
typedef struct {
  int64_t ldg, ldh, in_front;
  float *gates, *left, *reset_left; /* of BLOCK_STEPS steps, which `flush` adds up */
  float *d_h, *d_c, *carried, *back, *extra, *d_output;
} Back;

static Back back_scratch(const Layer *l, float *scratch) {
  const int64_t block = BLOCK_STEPS * CHUNK_ROWS, p = l->padded;
  Back b = {.in_front = l->sums - l->given.units, .ldg = l->width + ALIASING, .gates = scratch};
  b.ldh = b.in_front + p + ALIASING;
  b.left = b.gates + block * b.ldg;
  b.reset_left = b.left + block * b.ldh;
  b.d_h = b.reset_left + block * b.ldh;
  b.d_c = b.d_h + CHUNK_ROWS * p;
  b.carried = b.d_c + CHUNK_ROWS * p;
  b.back = b.carried + CHUNK_ROWS * p;
  b.extra = b.back + CHUNK_ROWS * p;
  b.d_output = b.extra + 3 * p;
  return b;
}

/* Add what the last steps gave to the gradient of the weights. */
static void flush(const Layer *l, const Back *b, int64_t rows, float *total) {
  const int64_t p = l->padded, whole = l->given.cell == GRU ? 2 * p : l->width;
  add_transposed(rows, l->sums, whole, b->left, b->ldh, b->gates, b->ldg, total, l->width);
  if (whole < l->width)
    add_transposed(rows, l->sums, p, b->reset_left, b->ldh, b->gates + whole, b->ldg, total + whole, l->width);
  float *extra = total + l->sums * l->width;
  add_row(extra, b->extra, 0, 3 * p);
  memset(b->extra, 0, (size_t)(3 * p) * sizeof(float));
}

static void start_back(const Layer *l, const Back *b, int64_t first, int64_t rows) {
  const int64_t p = l->padded, units = l->given.units;
  memset(b->d_h, 0, (size_t)(2 * CHUNK_ROWS * p) * sizeof(float)); /* and d_c behind it */
  memset(b->extra, 0, (size_t)(4 * p) * sizeof(float));            /* and d_output behind it */
  for (int64_t m = 0; m < rows; m++) {
    const int64_t length = length_of(l, first + m), rest = l->given.steps - length;
    const size_t row_bytes = (size_t)units * sizeof(float);
    if (l->d_last_h) memcpy(b->d_h + m * p, l->d_last_h + (first + m) * units, row_bytes);
    if (l->d_last_c) memcpy(b->d_c + m * p, l->d_last_c + (first + m) * units, row_bytes);
    if (l->d_projected)
      memset(l->d_projected + ((first + m) * l->given.steps + length) * l->width, 0,
             (size_t)(rest * l->width) * sizeof(float));
  }
}

/* The inputs of one step, and a one for the bias, in front of the state before it. */
static void put_in_front(const Layer *l, const Back *b, int64_t place, float *left, float *reset_left) {
  const int64_t width = l->given.inputs_width;
  memcpy(left, inputs_at(l, place), (size_t)width * sizeof(float));
  left[width] = 1.f;
  if (l->given.cell == GRU) memcpy(reset_left, left, (size_t)b->in_front * sizeof(float));
}

static void backward_chunk(const Layer *l, int64_t chunk, Back *b, float *total) {
  const enum engine_cell cell = l->given.cell;
  const int64_t p = l->padded, units = l->given.units, width = l->width, first = chunk * l->chunk_rows;
  const int64_t rows = least(l->chunk_rows, l->given.batch - first);
  int64_t filled = 0;
  start_back(l, b, first, rows);
  for (int64_t s = longest(l, first, rows) - 1; s >= 0; s--) {
    float *gates = b->gates + filled * b->ldg, *left = b->left + filled * b->ldh;
    float *reset_left = b->reset_left + filled * b->ldh;
    const float *in[CHUNK_ROWS];
    BackRow row[CHUNK_ROWS];
    int active[CHUNK_ROWS];
    for (int64_t m = 0; m < rows; m++) {
      const int64_t place = place_of(l, first + m, s);
      active[m] = s < length_of(l, first + m);
      in[m] = b->carried + m * p;
      row[m] = (BackRow){.d_later = b->d_h + m * p, .d_c = b->d_c + m * p, .gates = gates + m * b->ldg,
                         .h_before = left + m * b->ldh + b->in_front,
                         .reset_h = reset_left + m * b->ldh + b->in_front,
                         .carried = b->carried + m * p, .extra = b->extra};
      if (!active[m]) {
        memset(row[m].gates, 0, (size_t)width * sizeof(float));
        memset(left + m * b->ldh, 0, (size_t)(b->in_front + p) * sizeof(float));
        memset(reset_left + m * b->ldh, 0, (size_t)(b->in_front + p) * sizeof(float));
        memset(row[m].carried, 0, (size_t)p * sizeof(float));
        continue;
      }
      row[m].kept = kept_at(l, chunk, s, m);
      row[m].before = s ? kept_at(l, chunk, s - 1, m) : 0;
      row[m].projected = l->d_projected ? l->d_projected + place * width : row[m].gates;
      if (b->in_front) put_in_front(l, b, place, left + m * b->ldh, reset_left + m * b->ldh);
      if (l->d_outputs) {
        row[m].d_output = l->d_outputs + place * units;
        if (units < p) {
          memcpy(b->d_output, row[m].d_output, (size_t)units * sizeof(float));
          row[m].d_output = b->d_output;
        }
      }
      if (cell == BASIC_RNN) rnn_back(l, &row[m]);
      else if (cell == GRU) gru_back_candidate(l, &row[m]);
      else if (cell == RESET_AFTER_GRU) reset_after_back(l, &row[m]);
      else lstm_back(l, &row[m]);
    }
    fetch_backward(l, chunk, first, rows, s);
    int64_t depth = width;
    if (cell == GRU) {
      depth = 2 * p;
      rows_times_panels(rows, p, gates + depth, b->ldg, l->weights + depth * PANEL, width, p, 0, b->back, p);
      for (int64_t m = 0; m < rows; m++)
        if (active[m]) gru_back_gates(l, &row[m], b->back + m * p);
    }
    /* Nobody asks for the derivative by the state that a layer begins with. */
    if (s) rows_times_panels(rows, depth, gates, b->ldg, l->weights, width, p, in, b->back, p);
    if (!l->given.lengths) {
      float *d_h = b->d_h;
      b->d_h = b->back, b->back = d_h;
    }
    for (int64_t m = 0; s && l->given.lengths && m < rows; m++)
      if (active[m]) memcpy(b->d_h + m * p, b->back + m * p, (size_t)p * sizeof(float));
    filled += rows;
    if (filled + rows > BLOCK_STEPS * CHUNK_ROWS || !s) {
      flush(l, b, filled, total);
      filled = 0;
    }
  }
}

static void backward_job(const void *work, int64_t group, float *scratch) {
  const Layer *l = work;
  const int64_t size = l->sums * l->width + 3 * l->padded;
  float *total = l->partial + group * size;
  memset(total, 0, (size_t)size * sizeof(float));
  for (int64_t chunk = group; chunk < l->chunks; chunk += l->groups) {
    Back b = back_scratch(l, scratch);
    backward_chunk(l, chunk, &b, total);
  }
}

#if defined(ENGINE_BUILD_AVX512)
#define TABLE engine_kernels_avx512
#elif defined(ENGINE_BUILD_AVX2)
#define TABLE engine_kernels_avx2
#else
#define TABLE engine_kernels_avx
#endif
const Kernels TABLE = {pack,        pack_transposed, PANEL, product_job,      product_transposed_job,
                       forward_job, backward_job,    sum_by_index_job, sum_all_job};
