/* The engine as TensorFlow ops, by TensorFlow's own C interface for kernels (1.15 exports it and ships no
 * header). Nothing is copied and Python is not involved. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine.h"
#include "memory.h"

/* ---- tensorflow/c/{c_api,kernels,ops}.h, as far as it is used ---- */
typedef struct TF_Status TF_Status;
typedef struct TF_Tensor TF_Tensor;
typedef struct TF_KernelBuilder TF_KernelBuilder;
typedef struct TF_OpKernelConstruction TF_OpKernelConstruction;
typedef struct TF_OpKernelContext TF_OpKernelContext;
typedef struct TF_OpDefinitionBuilder TF_OpDefinitionBuilder;
typedef struct TF_ShapeInferenceContext TF_ShapeInferenceContext;
enum { TF_OK = 0, TF_INVALID_ARGUMENT = 3, TF_RESOURCE_EXHAUSTED = 8, TF_FAILED_PRECONDITION = 9 };
enum { TF_FLOAT = 1, TF_INT32 = 3 };
TF_Status *TF_NewStatus(void);
void TF_DeleteStatus(TF_Status *);
void TF_SetStatus(TF_Status *, int, const char *);
int TF_GetCode(const TF_Status *);
void *TF_TensorData(const TF_Tensor *);
int TF_NumDims(const TF_Tensor *);
int64_t TF_Dim(const TF_Tensor *, int);
int64_t TF_TensorElementCount(const TF_Tensor *);
void TF_DeleteTensor(TF_Tensor *);
TF_KernelBuilder *TF_NewKernelBuilder(const char *, const char *, void *(*)(TF_OpKernelConstruction *),
                                      void (*)(void *, TF_OpKernelContext *), void (*)(void *));
void TF_RegisterKernelBuilder(const char *, TF_KernelBuilder *, TF_Status *);
void TF_GetInput(TF_OpKernelContext *, int, TF_Tensor **, TF_Status *);
TF_Tensor *TF_AllocateTensor(int, const int64_t *, int, size_t);
TF_Tensor *TF_NewTensor(int, const int64_t *, int, void *, size_t, void (*)(void *, size_t, void *), void *);
void TF_SetOutput(TF_OpKernelContext *, int, const TF_Tensor *, TF_Status *);
void TF_OpKernelContext_Failure(TF_OpKernelContext *, TF_Status *);
void TF_OpKernelConstruction_GetAttrInt32(TF_OpKernelConstruction *, const char *, int32_t *, TF_Status *);
TF_OpDefinitionBuilder *TF_NewOpDefinitionBuilder(const char *);
void TF_OpDefinitionBuilderAddAttr(TF_OpDefinitionBuilder *, const char *);
void TF_OpDefinitionBuilderAddInput(TF_OpDefinitionBuilder *, const char *);
void TF_OpDefinitionBuilderAddOutput(TF_OpDefinitionBuilder *, const char *);
void TF_OpDefinitionBuilderSetShapeInferenceFunction(TF_OpDefinitionBuilder *,
                                                     void (*)(TF_ShapeInferenceContext *, TF_Status *));
void TF_RegisterOpDefinition(TF_OpDefinitionBuilder *, TF_Status *);
void TF_ShapeInferenceContextSetUnknownShape(TF_ShapeInferenceContext *, TF_Status *);

/* ---- one call of an op: its tensors, and the first thing that went wrong ---- */
#define MOST_TENSORS 16

typedef struct {
  int32_t set, threads, gates, cell, reverse, outputs, saved, multiply, project;
} Attributes;

typedef struct {
  TF_OpKernelContext *context;
  TF_Status *status;
  TF_Tensor *tensors[MOST_TENSORS], *outputs[MOST_TENSORS];
  int count, output_count;
} Call;

static void fail(Call *call, int code, const char *why) {
  if (TF_GetCode(call->status) == TF_OK) TF_SetStatus(call->status, code, why);
}

static int failed(const Call *call) { return TF_GetCode(call->status) != TF_OK; }

/* The data of input `number`, with its shape in dims, filled with -1 up to three. */
static const void *input(Call *call, int number, int rank, int64_t dims[3]) {
  TF_Tensor *tensor = 0;
  dims[0] = dims[1] = dims[2] = -1;
  if (failed(call)) return 0;
  TF_GetInput(call->context, number, &tensor, call->status);
  if (failed(call)) return 0;
  call->tensors[call->count++] = tensor;
  if (TF_NumDims(tensor) != rank) {
    char text[100];
    snprintf(text, sizeof text, "engine: input %d has %d dimensions, expected %d", number, TF_NumDims(tensor), rank);
    fail(call, TF_INVALID_ARGUMENT, text);
    return 0;
  }
  for (int k = 0; k < rank; k++) dims[k] = TF_Dim(tensor, k);
  return TF_TensorData(tensor);
}

/* The same, or 0 where the tensor is empty: not given. */
static const void *optional(Call *call, int number, int rank, int64_t dims[3]) {
  const void *found = input(call, number, rank, dims);
  for (int k = 0; k < rank; k++)
    if (dims[k] == 0) return 0;
  return found;
}

static void give_back(void *data, size_t bytes, void *nothing) {
  (void)bytes, (void)nothing;
  release(data);
}

/* The data of the next output. */
static float *output(Call *call, int64_t a, int64_t b, int64_t c) {
  int64_t dims[3] = {a, b, c};
  int rank = c >= 0 ? 3 : b >= 0 ? 2 : 1;
  size_t count = 1;
  if (failed(call)) return 0;
  for (int k = 0; k < rank; k++) count *= (size_t)dims[k];
  const size_t bytes = count * sizeof(float);
  TF_Tensor *tensor = 0;
  if (count < LEAST_KEPT) {
    tensor = TF_AllocateTensor(TF_FLOAT, dims, rank, bytes);
  } else {
    float *data = allocate((int64_t)count);
    if (data) tensor = TF_NewTensor(TF_FLOAT, dims, rank, data, bytes, give_back, 0);
  }
  if (!tensor || (count && !TF_TensorData(tensor))) {
    fail(call, TF_RESOURCE_EXHAUSTED, "engine: not enough memory");
    return 0;
  }
  call->outputs[call->output_count++] = tensor;
  return TF_TensorData(tensor);
}

static void expect(Call *call, int holds, const char *what) {
  if (!holds) fail(call, TF_INVALID_ARGUMENT, what);
}

static void check(Call *call, int status) {
  static const char *const words[] = {
      "", "engine: not enough memory", "engine: sizes that do not fit together or are too large",
      "engine: an index outside of what was projected", "engine: a sequence length outside of [0, steps]",
      "engine: this processor lacks the instruction set"};
  if (status) fail(call, status == ENGINE_NO_MEMORY ? TF_RESOURCE_EXHAUSTED : TF_INVALID_ARGUMENT, words[status]);
}

static Call begin(TF_OpKernelContext *context) {
  return (Call){.context = context, .status = TF_NewStatus()};
}

static void end(Call *call) {
  for (int k = 0; k < call->output_count && !failed(call); k++)
    TF_SetOutput(call->context, k, call->outputs[k], call->status);
  if (failed(call)) TF_OpKernelContext_Failure(call->context, call->status);
  for (int k = 0; k < call->count; k++) TF_DeleteTensor(call->tensors[k]);
  for (int k = 0; k < call->output_count; k++) TF_DeleteTensor(call->outputs[k]);
  TF_DeleteStatus(call->status);
}

static EngineHow how_of(const Attributes *a) { return (EngineHow){a->set, a->threads}; }

/* ---- the ops ---- */

static void compute_product(void *kernel, TF_OpKernelContext *context) {
  const Attributes *a = kernel;
  Call call = begin(context);
  int64_t x[3], k[3], b[3];
  const float *inputs = input(&call, 0, 2, x), *weights = input(&call, 1, 2, k), *bias = input(&call, 2, 1, b);
  expect(&call, x[1] == k[0] && k[1] == b[0] && k[1] % a->gates == 0, "EngineProduct: shapes do not fit");
  const int64_t units = k[1] / a->gates;
  float *projected = output(&call, x[0], a->gates * engine_padded(units), -1);
  if (!failed(&call))
    check(&call, engine_product(how_of(a), x[0], x[1], a->gates, units, inputs, weights, bias, projected));
  end(&call);
}

static void compute_product_inputs(void *kernel, TF_OpKernelContext *context) {
  const Attributes *a = kernel;
  Call call = begin(context);
  int64_t d[3], k[3];
  const float *gradient = input(&call, 0, 2, d), *weights = input(&call, 1, 2, k);
  const int64_t units = k[1] / a->gates;
  expect(&call, k[1] % a->gates == 0 && d[1] == a->gates * engine_padded(units),
         "EngineProductInputs: shapes do not fit");
  float *d_inputs = output(&call, d[0], k[0], -1);
  if (!failed(&call))
    check(&call, engine_product_inputs(how_of(a), d[0], k[0], a->gates, units, gradient, weights, d_inputs));
  end(&call);
}

static void compute_product_weights(void *kernel, TF_OpKernelContext *context) {
  const Attributes *a = kernel;
  Call call = begin(context);
  int64_t x[3], d[3], k[3];
  const float *inputs = input(&call, 0, 2, x), *gradient = input(&call, 1, 2, d);
  input(&call, 2, 2, k); /* the kernel: its shape */
  const int64_t units = k[1] / a->gates;
  expect(&call, x[0] == d[0] && x[1] == k[0] && k[1] % a->gates == 0 && d[1] == a->gates * engine_padded(units),
         "EngineProductWeights: shapes do not fit");
  float *d_kernel = output(&call, k[0], k[1], -1), *d_bias = output(&call, k[1], -1, -1);
  if (!failed(&call))
    check(&call, engine_product_weights(how_of(a), x[0], x[1], a->gates, units, inputs, gradient, d_kernel, d_bias));
  end(&call);
}

/* Inputs 0 to 9 of both ops of a layer; returns what was projected, 0 where the layer has inputs. */
static const float *layer_inputs(Call *call, const Attributes *a, EngineLayer *layer) {
  int64_t p[3], s[3], i[3], n[3], r[3], e[3], f[3], x[3], k[3], b[3];
  const float *projected = input(call, 0, 2, p);
  const int32_t *size = input(call, 1, 1, s), *index = optional(call, 2, 2, i), *lengths = optional(call, 3, 1, n);
  const float *recurrent = input(call, 4, 2, r), *extra = optional(call, 5, 2, e), *bias = input(call, 6, 1, f);
  const float *inputs = input(call, 7, 2, x), *kernel = input(call, 8, 2, k), *kernel_bias = input(call, 9, 1, b);
  expect(call, s[0] == 2 && f[0] == 1, "engine: batch and steps, and one forget bias are expected");
  if (failed(call)) return 0;
  *layer = (EngineLayer){.cell = a->cell, .reverse = a->reverse, .forget_bias = bias[0], .batch = size[0],
                         .steps = size[1], .units = r[0], .rows = a->multiply ? x[0] : p[0], .index = index,
                         .lengths = lengths, .recurrent = recurrent, .extra = extra};
  const int64_t gates = engine_gates(a->cell);
  expect(call, gates && r[1] == gates * r[0], "engine: weights do not fit");
  if (a->multiply) {
    expect(call, k[0] == x[1] && k[1] == r[1] && b[0] == r[1], "engine: inputs, kernel and bias do not fit");
    layer->inputs = inputs, layer->inputs_width = x[1], layer->kernel = kernel, layer->bias = kernel_bias;
  } else {
    expect(call, p[1] == gates * engine_padded(r[0]), "engine: weights do not fit");
  }
  expect(call, !index || (i[0] == size[0] && i[1] == size[1]), "engine: the index is not [batch, steps]");
  expect(call, !lengths || n[0] == size[0], "engine: there is not one length for each example");
  expect(call, extra ? e[0] == 3 && e[1] == r[0] : a->cell != PEEPHOLE_LSTM && a->cell != RESET_AFTER_GRU,
         "engine: diagonals or biases are not [3, units]");
  return a->multiply ? 0 : projected;
}

static int has_c(int cell) { return cell == BASIC_LSTM || cell == PEEPHOLE_LSTM || cell == COUPLED_LSTM; }

static void compute_layer(void *kernel, TF_OpKernelContext *context) {
  const Attributes *a = kernel;
  Call call = begin(context);
  EngineLayer layer;
  const float *projected = layer_inputs(&call, a, &layer);
  if (!failed(&call)) {
    const int64_t batch = layer.batch, units = layer.units, kept = a->saved ? engine_saved(&layer) : 0;
    expect(&call, batch >= 0 && layer.steps >= 0 && kept >= 0, "engine: sizes that are negative or too large");
    float *outputs = output(&call, a->outputs ? batch : 0, layer.steps, units);
    float *last_h = output(&call, batch, units, -1);
    float *last_c = output(&call, has_c(a->cell) ? batch : 0, units, -1), *saved = output(&call, kept, -1, -1);
    if (!failed(&call))
      check(&call, engine_forward(how_of(a), &layer, projected, a->outputs ? outputs : 0, last_h,
                                  has_c(a->cell) ? last_c : 0, a->saved ? saved : 0));
  }
  end(&call);
}

static void compute_layer_gradient(void *kernel, TF_OpKernelContext *context) {
  const Attributes *a = kernel;
  Call call = begin(context);
  EngineLayer layer;
  int64_t s[3], o[3], h[3], c[3];
  layer_inputs(&call, a, &layer);
  const float *saved = input(&call, 10, 1, s), *d_outputs = optional(&call, 11, 3, o);
  const float *d_last_h = optional(&call, 12, 2, h), *d_last_c = optional(&call, 13, 2, c);
  if (!failed(&call)) {
    const int64_t batch = layer.batch, units = layer.units;
    expect(&call, s[0] == engine_saved(&layer), "EngineLayerGradient: the forward op did not keep anything");
    expect(&call, !d_outputs || (o[0] == batch && o[1] == layer.steps && o[2] == units), "d_outputs do not fit");
    expect(&call, (!d_last_h || (h[0] == batch && h[1] == units)) && (!d_last_c || (c[0] == batch && c[1] == units)),
           "EngineLayerGradient: derivatives of the last state do not fit");
    const int64_t columns = engine_gates(a->cell) * units;
    EngineGradients d;
    d.projected = output(&call, a->project ? layer.rows : 0, engine_gates(a->cell) * engine_padded(units), -1);
    d.recurrent = output(&call, units, columns, -1);
    d.extra = output(&call, layer.extra ? 3 : 0, units, -1);
    d.kernel = output(&call, layer.inputs_width, columns, -1);
    d.bias = output(&call, layer.inputs ? columns : 0, -1, -1);
    if (!a->project) d.projected = 0;
    if (!layer.extra) d.extra = 0;
    expect(&call, a->project || a->multiply, "EngineLayerGradient: derivatives by what was projected are missing");
    if (!failed(&call)) check(&call, engine_backward(how_of(a), &layer, saved, d_outputs, d_last_h, d_last_c, &d));
  }
  end(&call);
}

/* ---- registration, when TensorFlow loads the library ---- */

static void *create(TF_OpKernelConstruction *construction) {
  Attributes *a = calloc(1, sizeof *a);
  if (!a) return 0;
  TF_Status *status = TF_NewStatus();
  TF_OpKernelConstruction_GetAttrInt32(construction, "instruction_set", &a->set, status);
  TF_OpKernelConstruction_GetAttrInt32(construction, "threads", &a->threads, status);
  TF_OpKernelConstruction_GetAttrInt32(construction, "gates", &a->gates, status);
  TF_OpKernelConstruction_GetAttrInt32(construction, "cell", &a->cell, status);
  TF_OpKernelConstruction_GetAttrInt32(construction, "reverse", &a->reverse, status);
  TF_OpKernelConstruction_GetAttrInt32(construction, "all_outputs", &a->outputs, status);
  TF_OpKernelConstruction_GetAttrInt32(construction, "keep", &a->saved, status);
  TF_OpKernelConstruction_GetAttrInt32(construction, "multiply", &a->multiply, status);
  TF_OpKernelConstruction_GetAttrInt32(construction, "project", &a->project, status);
  TF_DeleteStatus(status);
  if (a->gates < 1) a->gates = 1;
  add_memory_user();
  return a;
}

static void destroy(void *kernel) {
  if (!kernel) return;
  remove_memory_user();
  free(kernel);
}

static const char *const attributes[] = {"instruction_set: int", "threads: int", "gates: int = 1",
                                         "cell: int = 0",        "reverse: int = 0", "all_outputs: int = 1",
                                         "keep: int = 1",        "multiply: int = 0", "project: int = 1"};

static void add_op(const char *name, void (*compute)(void *, TF_OpKernelContext *), const char *const *inputs,
                   const char *const *outputs) {
  TF_Status *status = TF_NewStatus();
  TF_OpDefinitionBuilder *definition = TF_NewOpDefinitionBuilder(name);
  for (; *inputs; inputs++) TF_OpDefinitionBuilderAddInput(definition, *inputs);
  for (; *outputs; outputs++) TF_OpDefinitionBuilderAddOutput(definition, *outputs);
  for (size_t k = 0; k < sizeof attributes / sizeof *attributes; k++)
    TF_OpDefinitionBuilderAddAttr(definition, attributes[k]);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(definition, TF_ShapeInferenceContextSetUnknownShape);
  TF_RegisterOpDefinition(definition, status);
  if (TF_GetCode(status) == TF_OK)
    TF_RegisterKernelBuilder(name, TF_NewKernelBuilder(name, "CPU", create, compute, destroy), status);
  if (TF_GetCode(status) != TF_OK) fprintf(stderr, "tf1-lstm: op %s could not be registered\n", name);
  TF_DeleteStatus(status);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, 0})
#define LAYER_INPUTS "projected: float", "size: int32", "index: int32", "lengths: int32", "recurrent: float", \
  "extra: float", "forget_bias: float", "inputs: float", "kernel: float", "bias: float"

__attribute__((constructor)) static void add_ops(void) {
  add_op("EngineProduct", compute_product, LIST("inputs: float", "kernel: float", "bias: float"),
         LIST("projected: float"));
  add_op("EngineProductInputs", compute_product_inputs, LIST("d_projected: float", "kernel: float"),
         LIST("d_inputs: float"));
  add_op("EngineProductWeights", compute_product_weights,
         LIST("inputs: float", "d_projected: float", "kernel: float"), LIST("d_kernel: float", "d_bias: float"));
  add_op("EngineLayer", compute_layer, LIST(LAYER_INPUTS),
         LIST("outputs: float", "last_h: float", "last_c: float", "saved: float"));
  add_op("EngineLayerGradient", compute_layer_gradient,
         LIST(LAYER_INPUTS, "saved: float", "d_outputs: float", "d_last_h: float", "d_last_c: float"),
         LIST("d_projected: float", "d_recurrent: float", "d_extra: float", "d_kernel: float", "d_bias: float"));
}

/* ---- what Python asks ---- */
#ifndef ENGINE_SOURCE
#define ENGINE_SOURCE "unknown"
#endif
__attribute__((visibility("default"))) const char *tf1_lstm_engine_source(void) { return ENGINE_SOURCE; }
__attribute__((visibility("default"))) int tf1_lstm_engine_supports(int set) { return engine_supports(set); }
