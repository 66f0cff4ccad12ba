/* Runs the engine without TensorFlow, under the compiler's sanitizers (see test_sanitizers.py): every cell
 * on random shapes, each array exactly as large as it must be, one thread against several, wrong indexes and
 * lengths, allocations that fail. Prints "ok" or ends with 1. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "memory.h"

/* The linker sends the engine's calls of posix_memalign here (--wrap). */
static _Atomic int allocations_left = -1;
int __real_posix_memalign(void **to, size_t alignment, size_t size);
int __wrap_posix_memalign(void **to, size_t alignment, size_t size) {
  if (allocations_left == 0) return 12;
  if (allocations_left > 0) allocations_left--;
  return __real_posix_memalign(to, alignment, size);
}

static _Thread_local unsigned long long state = 1;
static unsigned draw(unsigned below) {
  state = state * 6364136223846793005ull + 1442695040888963407ull;
  return (unsigned)(state >> 33) % below;
}

static float *array(int64_t count, int random) {
  float *found = malloc(count ? (size_t)count * sizeof(float) : 1);
  for (int64_t k = 0; k < count; k++) found[k] = random ? (float)draw(2000) / 1000.f - 1.f : 7.f;
  return found;
}

static void expect(int holds, const char *what) {
  if (holds) return;
  printf("failed: %s\n", what);
  exit(1);
}

/* All results of one layer with its products, one behind the other; the first `alike` do not depend on where
 * the inputs are multiplied. */
typedef struct {
  float *all;
  int64_t count, alike;
  int status;
} Results;

static Results run(EngineHow how, EngineLayer layer, int64_t width, const float *inputs, const float *kernel,
                   const float *bias, const float *d_outputs, const float *d_last) {
  const int64_t gates = engine_gates(layer.cell), p = gates * engine_padded(layer.units), n = layer.batch * layer.units;
  const int64_t sizes[] = {layer.rows * p, layer.batch * layer.steps * layer.units, n, n, engine_saved(&layer),
                           layer.rows * p, gates * layer.units * layer.units, 3 * layer.units,
                           layer.rows * width, width * gates * layer.units, gates * layer.units};
  float *part[11];
  Results found = {.count = 0, .status = 0};
  for (int k = 0; k < 11; k++) part[k] = array(sizes[k], 0);
  const EngineGradients d = {part[5], part[6], part[7], part[9], part[10]};
  int status = ENGINE_OK;
  if (!layer.inputs)
    status = engine_product(how, layer.rows, width, gates, layer.units, inputs, kernel, bias, part[0]);
  if (!status)
    status = engine_forward(how, &layer, layer.inputs ? 0 : part[0], part[1], part[2], part[3], part[4]);
  if (!status) status = engine_backward(how, &layer, part[4], d_outputs, d_last, d_last, &d);
  if (!status) status = engine_product_inputs(how, layer.rows, width, gates, layer.units, part[5], kernel, part[8]);
  if (!status && !layer.inputs)
    status = engine_product_weights(how, layer.rows, width, gates, layer.units, inputs, part[5], part[9], part[10]);
  /* What was projected is not a result of both, and what is kept has rows that nothing reads. */
  for (int k = 1; k < 11; k++)
    if (k != 4) found.count += sizes[k];
  found.alike = found.count - sizes[9] - sizes[10];
  found.all = malloc(found.count ? (size_t)found.count * sizeof(float) : 1);
  int64_t at = 0;
  for (int k = 0; k < 11; k++) {
    if (k && k != 4) memcpy(found.all + at, part[k], (size_t)sizes[k] * sizeof(float)), at += sizes[k];
    free(part[k]);
  }
  found.status = status;
  return found;
}

/* The same layer where it multiplies its inputs itself. */
static void by_step(EngineHow how, EngineLayer l, int64_t width, const float *inputs, const float *kernel,
                    const float *bias, const float *d_outputs, const float *d_last) {
  const Results before = run(how, l, width, inputs, kernel, bias, d_outputs, d_last);
  l.inputs = inputs, l.inputs_width = width, l.kernel = kernel, l.bias = bias;
  const Results one = run(how, l, width, inputs, kernel, bias, d_outputs, d_last);
  how.threads = 4;
  const Results many = run(how, l, width, inputs, kernel, bias, d_outputs, d_last);
  expect(one.status == ENGINE_OK && many.status == ENGINE_OK, "a shape with inputs is refused");
  expect(!memcmp(one.all, many.all, (size_t)one.count * sizeof(float)), "threads change bits of a layer with inputs");
  expect(!memcmp(one.all, before.all, (size_t)one.alike * sizeof(float)), "where inputs are multiplied changes bits");
  free(before.all), free(one.all), free(many.all);
  for (int k = 0;; k++) {
    allocations_left = k;
    const Results starved = run(how, l, width, inputs, kernel, bias, d_outputs, d_last);
    allocations_left = -1;
    free(starved.all);
    if (starved.status == ENGINE_OK) break;
    expect(starved.status == ENGINE_NO_MEMORY, "a failed allocation is not told");
  }
}

static void one_shape(enum engine_set set, enum engine_cell cell) {
  EngineLayer l = {.cell = cell, .reverse = (int)draw(2), .forget_bias = 1.f, .batch = draw(30), .steps = draw(9),
                   .units = 1 + draw(40)};
  const int64_t width = draw(20), places = l.batch * l.steps, gates = engine_gates(cell);
  int32_t *index = malloc((size_t)places * 4 + 1), *lengths = malloc((size_t)l.batch * 4 + 1);
  const int by_index = (int)draw(2), ragged = (int)draw(2);
  l.rows = by_index ? 1 + draw(12) : places;
  for (int64_t k = 0; k < places; k++) index[k] = (int32_t)draw((unsigned)l.rows);
  for (int64_t k = 0; k < l.batch; k++) lengths[k] = (int32_t)draw((unsigned)l.steps + 1);
  float *recurrent = array(l.units * gates * l.units, 1), *extra = array(3 * l.units, 1);
  float *inputs = array(l.rows * width, 1), *kernel = array(width * gates * l.units, 1);
  float *bias = array(gates * l.units, 1), *d_outputs = array(places * l.units, 1), *d_last = array(l.batch * l.units, 1);
  l.index = by_index ? index : 0, l.lengths = ragged ? lengths : 0;
  l.recurrent = recurrent, l.extra = cell == PEEPHOLE_LSTM || cell == RESET_AFTER_GRU ? extra : 0;
  const Results one = run((EngineHow){set, 1}, l, width, inputs, kernel, bias, d_outputs, d_last);
  const Results many = run((EngineHow){set, 4}, l, width, inputs, kernel, bias, d_outputs, d_last);
  expect(one.status == ENGINE_OK && many.status == ENGINE_OK, "a shape is refused");
  expect(!memcmp(one.all, many.all, (size_t)one.count * sizeof(float)), "threads change bits");
  free(one.all), free(many.all);
  if (!by_index && cell != RESET_AFTER_GRU)
    by_step((EngineHow){set, 1}, l, width, inputs, kernel, bias, d_outputs, d_last);
  if (by_index && places) {
    index[places - 1] = (int32_t)l.rows;
    const Results wrong = run((EngineHow){set, 2}, l, width, inputs, kernel, bias, d_outputs, d_last);
    expect(wrong.status == ENGINE_BAD_INDEX, "an index is not checked");
    index[places - 1] = 0;
    free(wrong.all);
  }
  if (ragged && l.batch) {
    lengths[0] = -1;
    const Results wrong = run((EngineHow){set, 2}, l, width, inputs, kernel, bias, d_outputs, d_last);
    expect(wrong.status == ENGINE_BAD_LENGTH, "a length is not checked");
    lengths[0] = 0;
    free(wrong.all);
  }
  for (int k = 0;; k++) {
    allocations_left = k;
    const Results starved = run((EngineHow){set, 2}, l, width, inputs, kernel, bias, d_outputs, d_last);
    allocations_left = -1;
    const int status = starved.status;
    free(starved.all);
    if (status == ENGINE_OK) break;
    expect(status == ENGINE_NO_MEMORY, "a failed allocation is not told");
  }
  free(index), free(lengths), free(recurrent), free(extra), free(inputs), free(kernel), free(bias);
  free(d_outputs), free(d_last);
}

/* The same small layer over and over beside another thread that does so too. */
static void *one_of_two(void *expected) {
  state = 42;
  EngineLayer l = {.cell = GRU, .batch = 25, .steps = 6, .units = 33, .rows = 150};
  float *recurrent = array(33 * 99, 1), *inputs = array(150 * 5, 1), *kernel = array(5 * 99, 1), *bias = array(99, 1);
  float *d_outputs = array(150 * 33, 1), *d_last = array(25 * 33, 1);
  l.recurrent = recurrent;
  for (int k = 0; k < 5; k++) {
    const Results found = run((EngineHow){*(enum engine_set *)expected, 2}, l, 5, inputs, kernel, bias, d_outputs, d_last);
    expect(found.status == ENGINE_OK, "two at once");
    free(found.all);
  }
  free(recurrent), free(inputs), free(kernel), free(bias), free(d_outputs), free(d_last);
  return 0;
}

/* Large arrays are used again while somebody uses memory, and never by two at once. */
static void *use_memory(void *nothing) {
  for (int k = 0; k < 50; k++) {
    const int64_t floats = LEAST_KEPT + (int64_t)draw(LEAST_KEPT);
    float *one = allocate(floats), *other = allocate(LEAST_KEPT);
    expect(one && other && one != other && ((uintptr_t)one & 63) == 0, "an array is not there");
    one[0] = one[floats - 1] = (float)k, other[0] = other[LEAST_KEPT - 1] = -1.f;
    expect(one[0] == (float)k && one[floats - 1] == (float)k, "an array is somebody else's");
    release(other), release(one);
  }
  return nothing;
}

static void kept_memory(void) {
  release(0);
  release(allocate(LEAST_KEPT));
  expect(memory_kept() == 0, "memory is kept without a user");
  add_memory_user(), add_memory_user();
  float *first = allocate(LEAST_KEPT), *second = allocate(5 * LEAST_KEPT), *again;
  expect(memory_kept() == 0, "memory in use counts as kept");
  release(first), release(second);
  const int64_t most = memory_kept();
  expect(most >= 6 * LEAST_KEPT && most <= 12 * LEAST_KEPT, "released memory is not kept");
  again = allocate(LEAST_KEPT);
  expect(again == first, "memory is not used again");
  /* A small array does not hold a block of more than four times its size. */
  float *small = allocate(LEAST_KEPT);
  expect(small != second, "a block is too large for what it is used for");
  /* What is kept and what is in use: never more than the most that was in use. */
  for (int k = 1; k < 40; k++) {
    release(allocate(k * LEAST_KEPT));
    expect(memory_kept() <= 64 * LEAST_KEPT, "more is kept than was ever in use");
  }
  release(again), release(small);
  allocations_left = 0;
  expect(!allocate(1000 * LEAST_KEPT), "a failed allocation is not told");
  expect(memory_kept() == 0, "kept memory is not given up where there is no other");
  allocations_left = -1;
  pthread_t other;
  pthread_create(&other, 0, use_memory, 0);
  use_memory(0);
  pthread_join(other, 0);
  remove_memory_user();
  expect(memory_kept() > 0, "memory is gone while somebody uses it");
  remove_memory_user();
  expect(memory_kept() == 0, "memory is kept after its last user");
}

int main(int count, char **words) {
  kept_memory();
  const int shapes = count > 1 ? atoi(words[1]) : 3;
  for (enum engine_set set = 0; set < ENGINE_SETS; set++) {
    if (!engine_supports(set)) continue;
    for (enum engine_cell cell = 0; cell < ENGINE_CELLS; cell++)
      for (int k = 0; k < shapes; k++) one_shape(set, cell);
    pthread_t other;
    pthread_create(&other, 0, one_of_two, &set);
    one_of_two(&set);
    pthread_join(other, 0);
  }
  EngineLayer huge = {.cell = BASIC_LSTM, .batch = (int64_t)1 << 40, .steps = (int64_t)1 << 40, .units = 8};
  expect(engine_saved(&huge) == -1, "a size that overflows");
  expect(engine_forward((EngineHow){ENGINE_SETS, 1}, &huge, 0, 0, 0, 0, 0) == ENGINE_BAD_SET, "an unknown set");
  for (enum engine_set set = 0; set < ENGINE_SETS; set++)
    if (engine_supports(set))
      expect(engine_forward((EngineHow){set, 1}, &huge, 0, 0, 0, 0, 0) == ENGINE_BAD_SHAPE, "a huge shape");
  puts("ok");
  return 0;
}
