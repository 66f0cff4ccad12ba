#define _POSIX_C_SOURCE 200809L
#include "threads.h"
#include "memory.h"

#include <pthread.h>
#include <stdatomic.h>
#include <xmmintrin.h>

/* Rounding to nearest, no exceptions, denormals are zero: as in TensorFlow's own threads, and whatever the
 * calling thread had. */
#define FLOATING_POINT_STATE 0x9fc0u

typedef struct {
  Job job;
  const void *work;
  int64_t count;
  atomic_int_fast64_t next;
} Queue;

typedef struct {
  Queue *queue;
  float *scratch;
} Worker;

static void *run_worker(void *argument) {
  const Worker *worker = argument;
  Queue *queue = worker->queue;
  const unsigned before = _mm_getcsr();
  _mm_setcsr(FLOATING_POINT_STATE);
  for (;;) {
    const int64_t job = atomic_fetch_add(&queue->next, 1);
    if (job >= queue->count) break;
    queue->job(queue->work, job, worker->scratch);
  }
  _mm_setcsr(before);
  return 0;
}

int run_jobs(Job job, const void *work, int64_t count, int threads, int64_t scratch_floats) {
  if (count < 1) return ENGINE_OK;
  if (threads > MOST_THREADS) threads = MOST_THREADS;
  if (threads > count) threads = (int)count;
  if (threads < 1) threads = 1;
  const int64_t stride = (scratch_floats + 15) / 16 * 16 + ALIASING;
  float *scratch = allocate(stride * threads);
  if (!scratch) return ENGINE_NO_MEMORY;
  Queue queue = {job, work, count, 0};
  Worker workers[MOST_THREADS];
  pthread_t ids[MOST_THREADS];
  int started = 1;
  for (int k = 0; k < threads; k++) workers[k] = (Worker){&queue, scratch + k * stride};
  while (started < threads && !pthread_create(&ids[started], 0, run_worker, &workers[started])) started++;
  run_worker(&workers[0]);
  for (int k = 1; k < started; k++) pthread_join(ids[k], 0);
  release(scratch);
  return ENGINE_OK;
}
