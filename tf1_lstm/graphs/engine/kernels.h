/* What is compiled once for each instruction set (kernels.c), and the work it is given. */
#ifndef TF1_LSTM_KERNELS_H
#define TF1_LSTM_KERNELS_H

#include "engine.h"

#define UNIT_PADDING 32 /* units of a gate are padded to a multiple: the widest product panel */
#define BLOCK_STEPS 8   /* steps whose gradients of the recurrent weights are added up at once */
#define CHUNK_ROWS 12   /* examples that one job takes, at most */
#define MOST_GROUPS 32  /* partial sums of those gradients, at most */
#define MOST_SUMS 16    /* partial sums of a transposed product, at most */
#define PRODUCT_ROWS 48 /* rows of one job of a product */
#define SUM_ROWS 96     /* rows that a transposed product adds up before it adds to the total */
#define SUM_AHEAD 8     /* rows ahead of a sum by index for which memory is asked */
#define ALIASING 16     /* floats between rows of scratch, which must not lie a multiple of 4096 bytes apart */

/* A product, or one of its gradients. */
typedef struct {
  int64_t rows, width;          /* of a */
  int64_t columns, padded;      /* of the result, and with padding */
  int64_t groups;               /* transposed product: partial sums */
  const float *a, *packed, *bias;
  const float *d;               /* transposed product: [rows, padded] */
  float *out;                   /* [rows, columns]; transposed: [groups, width + 1, padded] */
} Product;

/* A layer with what its jobs share. */
typedef struct {
  EngineLayer given;
  int64_t padded, gates, width; /* width: gates * padded */
  int64_t in_front;             /* of the state in what the weights are multiplied with: width of the inputs */
  int64_t sums;                 /* rows of the weights' gradient: inputs, a one for the bias, units; or units */
  int64_t chunk_rows, chunks, groups;
  const float *weights;         /* packed, those of the inputs first; backward: the recurrent, packed transposed */
  const float *bias;            /* [width], where there are inputs */
  const float *extra;           /* [3, padded], zeros where the cell has none */
  const float *projected;
  float *outputs, *last_h, *last_c, *saved;
  const float *d_outputs, *d_last_h, *d_last_c;
  float *d_projected;           /* [batch * steps, width]; 0: nobody asks */
  float *partial;               /* [groups, sums * width + 3 * padded] */
} Layer;

/* Sums of rows [rows, width]: of those with one index, or of all. */
typedef struct {
  int64_t rows, width, jobs;
  const float *from;
  const int32_t *index;
  int64_t targets;
  float *to;
} Sum;

typedef void (*Job)(const void *work, int64_t job, float *scratch);

typedef struct {
  /* kernel [width, gates * units] as panels of padded columns, which have `depth` rows; or its transpose. */
  void (*pack)(float *to, const float *kernel, int64_t width, int64_t gates, int64_t units, int64_t depth);
  void (*pack_transposed)(float *to, const float *kernel, int64_t width, int64_t gates, int64_t units);
  int64_t panel; /* columns of a panel */
  Job product, product_transposed, forward, backward, sum_by_index, sum_all;
} Kernels;

extern const Kernels engine_kernels_avx512, engine_kernels_avx2, engine_kernels_avx;

/* Floats that one row of one step keeps for the way back, in multiples of padded. */
int engine_kept(enum engine_cell cell);

#endif
