/* Checks, memory and threads around the kernels. */
#include "engine.h"

#include <string.h>

#include "kernels.h"
#include "memory.h"
#include "threads.h"

#define LARGEST ((int64_t)1 << 40) /* floats in one array */

static const Kernels *kernels_of(enum engine_set set) {
  static const Kernels *const all[ENGINE_SETS] = {&engine_kernels_avx512, &engine_kernels_avx2,
                                                  &engine_kernels_avx};
  return all[set];
}

int engine_supports(enum engine_set set) {
  __builtin_cpu_init();
  switch (set) {
    case ENGINE_AVX512: return __builtin_cpu_supports("avx512f") != 0;
    case ENGINE_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case ENGINE_AVX: return __builtin_cpu_supports("avx") != 0;
    default: return 0;
  }
}

int64_t engine_padded(int64_t units) { return (units + UNIT_PADDING - 1) / UNIT_PADDING * UNIT_PADDING; }

int engine_gates(enum engine_cell cell) {
  static const int gates[ENGINE_CELLS] = {1, 4, 4, 3, 3, 3};
  return cell >= 0 && cell < ENGINE_CELLS ? gates[cell] : 0;
}

int engine_kept(enum engine_cell cell) {
  static const int kept[ENGINE_CELLS] = {1, 6, 6, 6, 4, 5};
  return kept[cell];
}

/* The product of sizes, or -1 where one is negative or all of them are too much. */
static int64_t size_of(int64_t a, int64_t b, int64_t c) {
  if (a < 0 || b < 0 || c < 0) return -1;
  if (a == 0 || b == 0 || c == 0) return 0;
  if (a > LARGEST || b > LARGEST / a || c > LARGEST / (a * b)) return -1;
  return a * b * c;
}

/* Even numbers of chunks, so that two threads have as much to do; decided by the batch alone. */
static void cut_into_chunks(Layer *l) {
  const int64_t batch = l->given.batch, pairs = (batch + 2 * CHUNK_ROWS - 1) / (2 * CHUNK_ROWS);
  l->chunk_rows = batch ? (batch + 2 * pairs - 1) / (2 * pairs) : 1;
  l->chunks = (batch + l->chunk_rows - 1) / l->chunk_rows;
  l->groups = l->chunks < MOST_GROUPS ? l->chunks : MOST_GROUPS;
}

static Layer layer_of(const EngineLayer *given) {
  Layer l = {.given = *given, .padded = engine_padded(given->units), .gates = engine_gates(given->cell)};
  l.width = l.gates * l.padded;
  l.in_front = given->inputs ? given->inputs_width : 0;
  l.sums = given->units + (given->inputs ? given->inputs_width + 1 : 0);
  cut_into_chunks(&l);
  return l;
}

static int64_t forward_scratch(const Layer *l) {
  const int64_t row = l->width + ALIASING + 2 * (l->in_front + l->padded + ALIASING) + l->padded;
  return CHUNK_ROWS * (row + engine_kept(l->given.cell) * l->padded);
}

static int64_t backward_scratch(const Layer *l) {
  const int64_t in_front = l->sums - l->given.units;
  const int64_t block_row = l->width + ALIASING + 2 * (in_front + l->padded + ALIASING);
  return BLOCK_STEPS * CHUNK_ROWS * block_row + 4 * CHUNK_ROWS * l->padded + 4 * l->padded;
}

static int check(EngineHow how, const EngineLayer *l) {
  if (how.set < 0 || how.set >= ENGINE_SETS || !engine_supports(how.set)) return ENGINE_BAD_SET;
  const int gates = engine_gates(l->cell);
  if (!gates || l->units < 1 || l->rows < 0) return ENGINE_BAD_SHAPE;
  const int64_t width = gates * engine_padded(l->units);
  if (size_of(l->batch, l->steps, 2 * width) < 0 || size_of(l->rows, width, 1) < 0) return ENGINE_BAD_SHAPE;
  if (size_of(l->units, width, MOST_GROUPS) < 0) return ENGINE_BAD_SHAPE;
  if (l->inputs && (l->index || l->cell == RESET_AFTER_GRU || l->inputs_width < 0 || l->inputs_width > LARGEST ||
                    size_of(l->rows, l->inputs_width, 1) < 0 ||
                    size_of(l->units + l->inputs_width + 1, width, MOST_GROUPS) < 0))
    return ENGINE_BAD_SHAPE;
  if (!l->index && l->rows != l->batch * l->steps) return ENGINE_BAD_SHAPE;
  for (int64_t k = 0; l->index && k < l->batch * l->steps; k++)
    if (l->index[k] < 0 || l->index[k] >= l->rows) return ENGINE_BAD_INDEX;
  for (int64_t k = 0; l->lengths && k < l->batch; k++)
    if (l->lengths[k] < 0 || l->lengths[k] > l->steps) return ENGINE_BAD_LENGTH;
  return ENGINE_OK;
}

static int check_product(EngineHow how, int64_t rows, int64_t width, int64_t gates, int64_t units) {
  if (how.set < 0 || how.set >= ENGINE_SETS || !engine_supports(how.set)) return ENGINE_BAD_SET;
  if (units < 1 || gates < 1 || gates > 4 || width < 0) return ENGINE_BAD_SHAPE;
  const int64_t columns = gates * engine_padded(units);
  if (size_of(rows, columns, 1) < 0 || size_of(rows, width, 1) < 0) return ENGINE_BAD_SHAPE;
  return size_of(engine_padded(width) + 1, columns, 1) < 0 ? ENGINE_BAD_SHAPE : ENGINE_OK;
}

/* [rows, gates, units] with or without the padding of units. */
static void pad(float *to, const float *from, int64_t rows, int64_t units, int64_t padded) {
  for (int64_t r = 0; r < rows; r++) {
    memcpy(to + r * padded, from + r * units, (size_t)units * sizeof(float));
    memset(to + r * padded + units, 0, (size_t)(padded - units) * sizeof(float));
  }
}

static void unpad(float *to, const float *from, int64_t rows, int64_t units, int64_t padded) {
  for (int64_t r = 0; r < rows; r++)
    memcpy(to + r * units, from + r * padded, (size_t)units * sizeof(float));
}

static int64_t product_scratch(const Product *w) {
  return PRODUCT_ROWS * (w->width + ALIASING + 2 * UNIT_PADDING);
}

static int64_t jobs_of_rows(int64_t rows) { return (rows + PRODUCT_ROWS - 1) / PRODUCT_ROWS; }

int engine_product(EngineHow how, int64_t rows, int64_t width, int64_t gates, int64_t units,
                   const float *inputs, const float *kernel, const float *bias, float *projected) {
  const int wrong = check_product(how, rows, width, gates, units);
  if (wrong) return wrong;
  const Kernels *kernels = kernels_of(how.set);
  const int64_t padded = engine_padded(units), columns = gates * padded;
  float *packed = allocate((width + 1) * columns);
  if (!packed) return ENGINE_NO_MEMORY;
  float *padded_bias = packed + width * columns;
  kernels->pack(packed, kernel, width, gates, units, width);
  pad(padded_bias, bias, gates, units, padded);
  const Product work = {.rows = rows, .width = width, .columns = columns, .padded = columns, .a = inputs,
                        .packed = packed, .bias = padded_bias, .out = projected};
  const int status = run_jobs(kernels->product, &work, jobs_of_rows(rows), how.threads, product_scratch(&work));
  release(packed);
  return status;
}

int engine_product_inputs(EngineHow how, int64_t rows, int64_t width, int64_t gates, int64_t units,
                          const float *d_projected, const float *kernel, float *d_inputs) {
  const int wrong = check_product(how, rows, width, gates, units);
  if (wrong) return wrong;
  const Kernels *kernels = kernels_of(how.set);
  const int64_t depth = gates * engine_padded(units), columns = engine_padded(width);
  float *packed = allocate(columns * depth);
  if (!packed) return ENGINE_NO_MEMORY;
  kernels->pack_transposed(packed, kernel, width, gates, units);
  const Product work = {.rows = rows, .width = depth, .columns = width, .padded = columns, .a = d_projected,
                        .packed = packed, .out = d_inputs};
  const int status = run_jobs(kernels->product, &work, jobs_of_rows(rows), how.threads, product_scratch(&work));
  release(packed);
  return status;
}

/* Add `groups` arrays of `size` floats, in order. */
static int add_up(EngineHow how, int64_t groups, int64_t size, const float *from, float *to) {
  const Sum sum = {.rows = groups, .width = size, .jobs = size / UNIT_PADDING < 8 ? 1 : 8, .from = from, .to = to};
  return run_jobs(kernels_of(how.set)->sum_all, &sum, sum.jobs, how.threads, size);
}

int engine_product_weights(EngineHow how, int64_t rows, int64_t width, int64_t gates, int64_t units,
                           const float *inputs, const float *d_projected, float *d_kernel, float *d_bias) {
  int status = check_product(how, rows, width, gates, units);
  if (status) return status;
  const Kernels *kernels = kernels_of(how.set);
  const int64_t padded = engine_padded(units), columns = gates * padded, size = (width + 1) * columns;
  const int64_t blocks = (rows + SUM_ROWS - 1) / SUM_ROWS;
  const int64_t groups = blocks < 1 ? 1 : blocks < MOST_SUMS ? blocks : MOST_SUMS;
  float *partial = allocate((groups + 1) * size), *total = partial + groups * size;
  if (!partial) return ENGINE_NO_MEMORY;
  const Product work = {.rows = rows, .width = width, .columns = columns, .padded = columns, .groups = groups,
                        .a = inputs, .d = d_projected, .out = partial};
  const int64_t scratch = SUM_ROWS * (width + 1 + ALIASING + columns);
  status = run_jobs(kernels->product_transposed, &work, groups, how.threads, scratch);
  if (!status) status = add_up(how, groups, size, partial, total);
  if (!status) {
    unpad(d_kernel, total, width * gates, units, padded);
    unpad(d_bias, total + width * columns, gates, units, padded);
  }
  release(partial);
  return status;
}

int64_t engine_saved(const EngineLayer *given) {
  if (!engine_gates(given->cell) || given->units < 1) return -1;
  const Layer l = layer_of(given);
  return size_of(l.chunks * l.chunk_rows, given->steps, engine_kept(given->cell) * l.padded);
}

int engine_forward(EngineHow how, const EngineLayer *given, const float *projected, float *outputs,
                   float *last_h, float *last_c, float *saved) {
  int status = check(how, given);
  if (status) return status;
  const Kernels *kernels = kernels_of(how.set);
  Layer l = layer_of(given);
  const int64_t depth = l.in_front + given->units;
  float *weights = allocate((depth + 1) * l.width + 3 * l.padded);
  if (!weights) return ENGINE_NO_MEMORY;
  float *bias = weights + depth * l.width, *extra = bias + l.width;
  /* A panel has the kernel's rows, and the recurrent ones behind them. */
  if (given->inputs) {
    kernels->pack(weights, given->kernel, l.in_front, l.gates, given->units, depth);
    pad(bias, given->bias, l.gates, given->units, l.padded);
  }
  kernels->pack(weights + l.in_front * kernels->panel, given->recurrent, given->units, l.gates, given->units, depth);
  memset(extra, 0, (size_t)(3 * l.padded) * sizeof(float));
  if (given->extra) pad(extra, given->extra, 3, given->units, l.padded);
  l.weights = weights, l.bias = bias, l.extra = extra, l.projected = projected;
  l.outputs = outputs, l.last_h = last_h, l.last_c = last_c, l.saved = saved;
  status = run_jobs(kernels->forward, &l, l.chunks, how.threads, forward_scratch(&l));
  release(weights);
  return status;
}

/* Add the groups' sums, and take the padding off. */
static int add_groups(EngineHow how, const Layer *l, const EngineGradients *d) {
  const int64_t units = l->given.units, size = l->sums * l->width + 3 * l->padded;
  float *total = l->partial + l->groups * size;
  const int status = add_up(how, l->groups, size, l->partial, total);
  if (status) return status;
  if (l->given.inputs) {
    unpad(d->kernel, total, l->in_front * l->gates, units, l->padded);
    unpad(d->bias, total + l->in_front * l->width, l->gates, units, l->padded);
  }
  unpad(d->recurrent, total + (l->sums - units) * l->width, units * l->gates, units, l->padded);
  if (d->extra) unpad(d->extra, total + l->sums * l->width, 3, units, l->padded);
  return ENGINE_OK;
}

int engine_backward(EngineHow how, const EngineLayer *given, const float *saved, const float *d_outputs,
                    const float *d_last_h, const float *d_last_c, const EngineGradients *gradients) {
  int status = check(how, given);
  if (status) return status;
  const Kernels *kernels = kernels_of(how.set);
  Layer l = layer_of(given);
  const int64_t steps = given->batch * given->steps, packed = l.padded * l.width;
  const int64_t partial = l.sums * l.width + 3 * l.padded;
  float *memory = allocate(packed + 3 * l.padded + (l.groups + 1) * partial);
  float *by_step = given->index ? allocate(steps * l.width) : gradients->projected;
  status = memory && (by_step || given->inputs) ? ENGINE_OK : ENGINE_NO_MEMORY;
  if (!status) {
    float *extra = memory + packed;
    kernels->pack_transposed(memory, given->recurrent, given->units, l.gates, given->units);
    memset(extra, 0, (size_t)(3 * l.padded) * sizeof(float));
    if (given->extra) pad(extra, given->extra, 3, given->units, l.padded);
    l.weights = memory, l.extra = extra, l.partial = extra + 3 * l.padded;
    l.saved = (float *)saved, l.d_projected = by_step;
    l.d_outputs = d_outputs, l.d_last_h = d_last_h, l.d_last_c = d_last_c;
    status = run_jobs(kernels->backward, &l, l.groups, how.threads, backward_scratch(&l));
  }
  if (!status) status = add_groups(how, &l, gradients);
  if (!status && given->index) {
    /* A job has some of the columns, so their number changes no bit. */
    const int64_t parts = l.width / UNIT_PADDING, threads = how.threads < 1 ? 1 : how.threads;
    const Sum sum = {.rows = steps, .width = l.width, .jobs = parts < threads ? parts : threads, .from = by_step,
                     .index = given->index, .targets = given->rows, .to = gradients->projected};
    status = run_jobs(kernels->sum_by_index, &sum, sum.jobs, how.threads, 0);
  }
  if (given->index) release(by_step);
  release(memory);
  return status;
}
