#include "../parallel.h"

#include <stdatomic.h>

typedef struct peak_task {
    void (*kernel)(ck_chains *);
    int64_t turns;
    _Atomic int64_t operations;
} peak_task;

static void run_chains(void *argument, int32_t thread, int32_t num_threads)
{
    (void)thread;
    (void)num_threads;
    peak_task *task = argument;
    float values[CK_CHAINS_MAX] = {0};
    ck_chains chains = {.values = values, .turns = task->turns};
    task->kernel(&chains);
    atomic_fetch_add(&task->operations, chains.operations);
}

int64_t ck_multiply_add_f32(const ck_context *context, int64_t turns)
{
    peak_task task = {.kernel = context->kernels->multiply_add_chains_f32, .turns = turns};
    ck_parallel(context, run_chains, &task);
    return atomic_load(&task.operations);
}

int64_t ck_multiply_add_bf16(const ck_context *context, int64_t turns)
{
    peak_task task = {.kernel = context->kernels->multiply_add_chains_bf16, .turns = turns};
    ck_parallel(context, run_chains, &task);
    return atomic_load(&task.operations);
}
