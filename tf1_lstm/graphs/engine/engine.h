/* Recurrent layers of TensorFlow 1's cells on the CPU: what the rest of the program may call.
 *
 * All arrays are float32, row-major. Gates stand in TensorFlow 1's order:
 *   BASIC_RNN, -; BASIC_LSTM and PEEPHOLE_LSTM i j f o; COUPLED_LSTM j f o; GRU r u candidate;
 *   RESET_AFTER_GRU u r candidate.
 * Inside, the units of every gate are padded with zeros to `engine_padded(units)`; what a product gives
 * and a layer reads has rows of gates * padded.
 *
 * Sums are taken in an order that depends on the shapes alone, so the bits do not depend on the number of
 * threads; AVX512 and AVX2 give the same bits, AVX, which has no fused multiplication, others.
 * No function keeps anything between two calls but memory that is free (memory.h). */
#ifndef TF1_LSTM_ENGINE_H
#define TF1_LSTM_ENGINE_H

#include <stdint.h>

enum engine_cell { BASIC_RNN, BASIC_LSTM, PEEPHOLE_LSTM, COUPLED_LSTM, GRU, RESET_AFTER_GRU, ENGINE_CELLS };
enum engine_set { ENGINE_AVX512, ENGINE_AVX2, ENGINE_AVX, ENGINE_SETS };
enum engine_status {
  ENGINE_OK,
  ENGINE_NO_MEMORY,
  ENGINE_BAD_SHAPE,  /* a size that is negative or too large */
  ENGINE_BAD_INDEX,  /* a row outside of what was projected */
  ENGINE_BAD_LENGTH, /* a length outside of [0, steps] */
  ENGINE_BAD_SET,    /* this processor lacks the instruction set */
};

/* How to calculate. */
typedef struct {
  enum engine_set set;
  int threads;
} EngineHow;

/* One layer over a batch of sequences. */
typedef struct {
  enum engine_cell cell;
  int reverse; /* read each sequence from its end */
  float forget_bias;
  int64_t batch, steps, units;
  int64_t rows;           /* of what was projected */
  const int32_t *index;   /* [batch, steps], row of each step; 0: row = example * steps + step */
  const int32_t *lengths; /* [batch]; later steps carry the state on and put out zeros; 0: all steps */
  const float *recurrent; /* [units, gates * units] */
  const float *extra;     /* [3, units]: diagonals i f o (PEEPHOLE_LSTM) or biases (RESET_AFTER_GRU) */
  /* Where `inputs` is given, nothing is projected before: each step multiplies its own. There is no index then,
   * and the cell is not RESET_AFTER_GRU. */
  int64_t inputs_width;
  const float *inputs;    /* [batch * steps, inputs_width] */
  const float *kernel;    /* [inputs_width, gates * units] */
  const float *bias;      /* [gates * units] */
} EngineLayer;

/* Derivatives of a layer. */
typedef struct {
  float *projected; /* [rows, gates * padded]; may be 0 where the layer has inputs */
  float *recurrent; /* [units, gates * units] */
  float *extra;     /* [3, units] where the cell has it */
  float *kernel;    /* as in the layer, where it has inputs */
  float *bias;
} EngineGradients;

int engine_supports(enum engine_set set);
int64_t engine_padded(int64_t units);
int engine_gates(enum engine_cell cell);
/* Floats that `engine_forward` keeps for `engine_backward`. */
int64_t engine_saved(const EngineLayer *layer);

/* projected [rows, gates * padded] = inputs [rows, width] x kernel [width, gates * units] + bias. */
int engine_product(EngineHow how, int64_t rows, int64_t width, int64_t gates, int64_t units,
                   const float *inputs, const float *kernel, const float *bias, float *projected);
/* d_inputs [rows, width] = d_projected x transposed kernel. */
int engine_product_inputs(EngineHow how, int64_t rows, int64_t width, int64_t gates, int64_t units,
                          const float *d_projected, const float *kernel, float *d_inputs);
/* d_kernel = transposed inputs x d_projected; d_bias = its column sums. */
int engine_product_weights(EngineHow how, int64_t rows, int64_t width, int64_t gates, int64_t units,
                           const float *inputs, const float *d_projected, float *d_kernel, float *d_bias);

/* projected is 0 where the layer has inputs; outputs [batch, steps, units] and saved may be 0; last_c
 * [batch, units] is for cells that have a c. */
int engine_forward(EngineHow how, const EngineLayer *layer, const float *projected, float *outputs,
                   float *last_h, float *last_c, float *saved);
/* d_outputs, d_last_h and d_last_c may be 0. */
int engine_backward(EngineHow how, const EngineLayer *layer, const float *saved, const float *d_outputs,
                    const float *d_last_h, const float *d_last_c, const EngineGradients *gradients);

#endif
