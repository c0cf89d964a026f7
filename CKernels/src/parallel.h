#ifndef CK_PARALLEL_H
#define CK_PARALLEL_H

#include "ck_kernel_table.h"

struct ck_context {
    const ck_kernel_table *kernels;
    int32_t num_threads;
};

/// One thread's share of an op: thread `thread` of `num_threads`.
typedef void ck_task(void *argument, int32_t thread, int32_t num_threads);

/// Called before the first region: makes the process end in good order while regions are open.
void ck_parallel_prepare(void);

/// Runs `task` on every thread of the context and waits for all of them.
void ck_parallel(const ck_context *context, ck_task *task, void *argument);

/// Waits until every thread of the running task has come here. All of them must.
void ck_barrier(int32_t num_threads);

/// The part [begin, end) of `count` units that falls to `thread`: contiguous, sizes differ by one at most.
typedef struct ck_range {
    int32_t begin, end;
} ck_range;

static inline ck_range ck_share(int32_t count, int32_t thread, int32_t num_threads)
{
    int32_t begin = (int32_t)((int64_t)count * thread / num_threads);
    int32_t end = (int32_t)((int64_t)count * (thread + 1) / num_threads);
    return (ck_range){begin, end};
}

#endif
