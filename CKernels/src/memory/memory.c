#include "../../include/ck_memory.h"
#include "../parallel.h"

#include <stdatomic.h>

// One call's words: as many as four bf16 panels of some 900 inputs, and so the distance between streams.
enum { BLOCK_WORDS = 28 << 10 };

typedef struct memory_share {
    size_t begin, end;
} memory_share;

// ck_share for counts beyond int32_t.
static memory_share share_of(size_t count, int32_t thread, int32_t num_threads)
{
    const size_t each = count / (size_t)num_threads, begin = each * (size_t)thread;
    return (memory_share){begin, thread + 1 == num_threads ? count : begin + each};
}

typedef struct sum_task {
    const ck_kernel_table *kernels;
    const uint32_t *words;
    size_t count;
    atomic_uint sum;
} sum_task;

static void run_sum(void *argument, int32_t thread, int32_t num_threads)
{
    sum_task *task = argument;
    const memory_share share = share_of(task->count, thread, num_threads);
    uint32_t total = 0;
    for (size_t word = share.begin; word < share.end; word += BLOCK_WORDS) {
        const size_t left = share.end - word;
        uint32_t sum;
        task->kernels->memory_sum_u32(&sum, task->words + word, left < BLOCK_WORDS ? left : BLOCK_WORDS);
        total += sum;
    }
    atomic_fetch_add(&task->sum, total);
}

uint32_t ck_memory_sum(const ck_context *context, const uint32_t *words, size_t count)
{
    sum_task task = {.kernels = context->kernels, .words = words, .count = count};
    ck_parallel(context, run_sum, &task);
    return atomic_load(&task.sum);
}

typedef struct fill_task {
    uint32_t *words;
    size_t count;
    uint32_t value;
} fill_task;

static void run_fill(void *argument, int32_t thread, int32_t num_threads)
{
    const fill_task *task = argument;
    const memory_share share = share_of(task->count, thread, num_threads);
    for (size_t word = share.begin; word < share.end; word++) task->words[word] = task->value;
}

void ck_memory_fill(const ck_context *context, uint32_t *words, size_t count, uint32_t value)
{
    fill_task task = {words, count, value};
    ck_parallel(context, run_fill, &task);
}
