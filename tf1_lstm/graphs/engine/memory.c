#define _DEFAULT_SOURCE
#define _POSIX_C_SOURCE 200809L
#include "memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#define HUGE_PAGE ((uintptr_t)2 << 20)
#define MOST_BLOCKS 128 /* that are kept */
#define MOST_TOO_LARGE 4 /* a block is used for an array of a quarter of its size, not of less */

/* In front of each array; its size keeps the array aligned. */
typedef union {
  int64_t floats;
  char size[64];
} Block;

/* The one thing that the engine has between two calls. */
static struct {
  pthread_mutex_t lock;
  int64_t users, in_use, most_in_use, kept;
  int count;
  Block *blocks[MOST_BLOCKS]; /* the oldest first */
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

static Block *new_block(int64_t floats) {
  void *found = 0;
  const size_t bytes = sizeof(Block) + (size_t)floats * sizeof(float);
  if (posix_memalign(&found, 64, bytes)) return 0;
  /* Let the system give it by 2 MB, where it does that. */
  const uintptr_t first = ((uintptr_t)found + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
  const uintptr_t end = ((uintptr_t)found + bytes) & ~(HUGE_PAGE - 1);
  if (end > first) madvise((void *)first, end - first, MADV_HUGEPAGE);
  ((Block *)found)->floats = floats;
  return found;
}

static Block *take_out(int place) {
  Block *found = pool.blocks[place];
  pool.count--;
  for (int k = place; k < pool.count; k++) pool.blocks[k] = pool.blocks[k + 1];
  pool.kept -= found->floats;
  return found;
}

static void free_kept(void) {
  while (pool.count) free(take_out(0));
}

/* The smallest block that is kept and is large enough, or 0. */
static Block *fitting(int64_t floats) {
  int best = -1;
  for (int k = 0; k < pool.count; k++) {
    const int64_t size = pool.blocks[k]->floats;
    if (size >= floats && size / MOST_TOO_LARGE <= floats && (best < 0 || size < pool.blocks[best]->floats)) best = k;
  }
  return best < 0 ? 0 : take_out(best);
}

static Block *large_block(int64_t floats) {
  pthread_mutex_lock(&pool.lock);
  Block *found = fitting(floats);
  if (!found) {
    /* Sizes that differ from batch to batch are served by the same blocks; what an array does not reach of its
     * block takes no memory. */
    int64_t rounded = LEAST_KEPT;
    while (rounded < floats) rounded *= 2;
    const int64_t most = pool.in_use + rounded > pool.most_in_use ? pool.in_use + rounded : pool.most_in_use;
    while (pool.count && pool.in_use + pool.kept + rounded > most) free(take_out(0));
    found = new_block(rounded);
    if (!found) {
      free_kept();
      found = new_block(floats);
    }
  }
  if (found) pool.in_use += found->floats;
  if (pool.in_use > pool.most_in_use) pool.most_in_use = pool.in_use;
  pthread_mutex_unlock(&pool.lock);
  return found;
}

float *allocate(int64_t floats) {
  if (floats < 0 || floats > INT64_MAX / 16) return 0;
  Block *found = floats < LEAST_KEPT ? new_block(floats) : large_block(floats);
  return found ? (float *)(found + 1) : 0;
}

void release(float *floats) {
  if (!floats) return;
  Block *block = (Block *)floats - 1;
  if (block->floats < LEAST_KEPT) {
    free(block);
    return;
  }
  pthread_mutex_lock(&pool.lock);
  pool.in_use -= block->floats;
  if (!pool.users) {
    free(block);
  } else {
    if (pool.count == MOST_BLOCKS) free(take_out(0));
    pool.blocks[pool.count++] = block;
    pool.kept += block->floats;
  }
  pthread_mutex_unlock(&pool.lock);
}

void add_memory_user(void) {
  pthread_mutex_lock(&pool.lock);
  pool.users++;
  pthread_mutex_unlock(&pool.lock);
}

void remove_memory_user(void) {
  pthread_mutex_lock(&pool.lock);
  if (!--pool.users) {
    free_kept();
    pool.most_in_use = pool.in_use;
  }
  pthread_mutex_unlock(&pool.lock);
}

int64_t memory_kept(void) {
  pthread_mutex_lock(&pool.lock);
  const int64_t kept = pool.kept;
  pthread_mutex_unlock(&pool.lock);
  return kept;
}
