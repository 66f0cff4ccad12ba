/* Memory for arrays. Large ones are kept and used again: the system clears each page that it gives, which
 * was a third of a training step of large layers. */
#ifndef TF1_LSTM_MEMORY_H
#define TF1_LSTM_MEMORY_H

#include <stdint.h>

#define LEAST_KEPT (1 << 20) /* floats from which on an array is large */

/* 64-byte aligned floats for `release`, or 0. */
float *allocate(int64_t floats);
void release(float *floats); /* may be 0 */

/* Memory is kept while it has users; with the last one, all that is free goes back to the system. What is
 * kept and what is in use are together never more than the most that was in use at once. */
void add_memory_user(void);
void remove_memory_user(void);

/* Floats that are kept, for tests. */
int64_t memory_kept(void);

#endif
