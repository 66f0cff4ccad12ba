/* Jobs shared among threads. */
#ifndef TF1_LSTM_THREADS_H
#define TF1_LSTM_THREADS_H

#include "kernels.h"

#define MOST_THREADS 64

/* Run job(work, 0 .. count - 1) on up to `threads` threads, the caller's among them; a thread takes the next
 * job when it is done with one. Each has `scratch_floats` of scratch. Returns ENGINE_NO_MEMORY before
 * anything ran, or ENGINE_OK. A thread that cannot be started leaves its jobs to the others. */
int run_jobs(Job job, const void *work, int64_t count, int threads, int64_t scratch_floats);

#endif
