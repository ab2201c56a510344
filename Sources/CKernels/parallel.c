#include "parallel.h"
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
  MOST_THREADS = 64,
  // Looks at a word before a thread goes to sleep: tens of microseconds, which is what lies between
  // most operations of a step.
  PATIENCE = 1000,
};

static struct {
  // Held by the caller whose work is being done.
  pthread_mutex_t owner;
  size_t helpers;
  // The work in hand.
  kb_task task;
  void *context;
  size_t count, parts;
  // Its number, then how many of its parts nobody has begun: whoever takes one knows that it belongs
  // to the work that it means.
  _Atomic uint64_t ticket;
  // Parts that are not finished; the caller sleeps on it.
  _Atomic uint32_t undone, caller_sleeps;
  // The work's number again; helpers sleep on it.
  _Atomic uint32_t round, sleepers;
} pool = {.owner = PTHREAD_MUTEX_INITIALIZER};

// Waits while the word has this value.
static void wait_while(_Atomic uint32_t *word, uint32_t value, _Atomic uint32_t *sleepers) {
  for (int i = 0; i < PATIENCE; i++) {
    if (atomic_load_explicit(word, memory_order_acquire) != value) return;
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
  while (atomic_load(word) == value) {
    atomic_fetch_add(sleepers, 1);
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
    atomic_fetch_sub(sleepers, 1);
  }
}

// After the word has changed.
static void wake(_Atomic uint32_t *word, _Atomic uint32_t *sleepers) {
  if (atomic_load(sleepers) > 0) syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

// Parts of one work, until none is left that nobody has begun.
static void do_parts(uint32_t round) {
  uint64_t ticket = atomic_load_explicit(&pool.ticket, memory_order_acquire);
  for (;;) {
    const uint32_t left = (uint32_t)ticket;
    if (ticket >> 32 != round || left == 0) return;
    if (!atomic_compare_exchange_weak_explicit(&pool.ticket, &ticket, ticket - 1, memory_order_acq_rel,
                                               memory_order_acquire))
      continue;
    // The work cannot end before this part has, so what describes it stays.
    pool.task(pool.context, pool.count * (left - 1) / pool.parts, pool.count * left / pool.parts);
    if (atomic_fetch_sub(&pool.undone, 1) == 1) wake(&pool.undone, &pool.caller_sleeps);
    ticket = atomic_load_explicit(&pool.ticket, memory_order_acquire);
  }
}

static void *help(void *unused) {
  (void)unused;
  for (uint32_t round = 0;;) {
    wait_while(&pool.round, round, &pool.sleepers);
    round = atomic_load_explicit(&pool.round, memory_order_acquire);
    do_parts(round);
  }
  return NULL;
}

size_t kb_provide_threads(size_t threads) {
  if (threads < 1) threads = 1;
  if (threads > MOST_THREADS) threads = MOST_THREADS;
  pthread_mutex_lock(&pool.owner);
  // Signals are for the threads that the program knows of.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  for (; pool.helpers < threads - 1; pool.helpers++) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, help, NULL) != 0) break;
    pthread_detach(thread);
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (threads > pool.helpers + 1) threads = pool.helpers + 1;
  pthread_mutex_unlock(&pool.owner);
  return threads;
}

void kb_parallel(size_t threads, size_t count, kb_task task, void *context) {
  if (count == 0) return;
  const size_t parts = threads < count ? threads : count;
  if (parts < 2 || pthread_mutex_trylock(&pool.owner) != 0) return task(context, 0, count);
  pool.task = task;
  pool.context = context;
  pool.count = count;
  pool.parts = parts;
  const uint32_t round = atomic_load(&pool.round) + 1;
  atomic_store(&pool.undone, (uint32_t)parts);
  atomic_store(&pool.ticket, (uint64_t)round << 32 | parts);
  atomic_store(&pool.round, round);
  wake(&pool.round, &pool.sleepers);
  do_parts(round);
  for (uint32_t left; (left = atomic_load(&pool.undone)) != 0;)
    wait_while(&pool.undone, left, &pool.caller_sleeps);
  pthread_mutex_unlock(&pool.owner);
}
