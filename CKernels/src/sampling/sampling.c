#include "../parallel.h"

#include <math.h>

// Fewer blocks than this for a thread cost less than waking it.
enum { BLOCKS_PER_THREAD_MIN = 64 };

typedef struct sampling_task {
    void (*kernel)(ck_logit_blocks *);
    ck_logit_blocks row;
    bool is_valid[CK_THREADS_MAX];
} sampling_task;

static int32_t block_count(int32_t count) { return (count + CK_LOGIT_BLOCK - 1) / CK_LOGIT_BLOCK; }

static void run_share(void *argument, int32_t thread, int32_t num_threads)
{
    sampling_task *task = argument;
    ck_range share = ck_share(block_count(task->row.count), thread, num_threads);
    const int32_t begin = share.begin * CK_LOGIT_BLOCK;
    const int32_t end = share.end == block_count(task->row.count) ? task->row.count : share.end * CK_LOGIT_BLOCK;
    ck_logit_blocks blocks = task->row;
    blocks.logits += begin;
    blocks.count = end - begin;
    blocks.block_value += share.begin;
    if (blocks.weights) blocks.weights += begin;
    blocks.is_valid = true;
    if (blocks.count > 0) task->kernel(&blocks);
    task->is_valid[thread] = blocks.is_valid;
}

static bool run(const ck_context *context, sampling_task *task)
{
    for (int32_t i = 0; i < context->num_threads; i++) task->is_valid[i] = true;
    if (block_count(task->row.count) < BLOCKS_PER_THREAD_MIN * context->num_threads) run_share(task, 0, 1);
    else ck_parallel(context, run_share, task);
    bool is_valid = true;
    for (int32_t i = 0; i < context->num_threads; i++) is_valid = is_valid && task->is_valid[i];
    return is_valid;
}

ck_logit_scan_result ck_logit_scan(const ck_context *context, const ck_logit_scan_args *args)
{
    sampling_task task = {
        .kernel = context->kernels->logit_scan_blocks_f32,
        .row = {.logits = args->logits, .count = args->count, .block_value = args->block_max},
    };
    ck_logit_scan_result result = {.max = -INFINITY, .is_valid = run(context, &task)};
    if (!result.is_valid) return result;
    int32_t block = 0;
    for (int32_t b = 0; b < block_count(args->count); b++) {
        if (args->block_max[b] > result.max) {
            result.max = args->block_max[b];
            block = b;
        }
    }
    result.is_valid = result.max > -INFINITY;
    result.argmax = block * CK_LOGIT_BLOCK;
    while (result.is_valid && args->logits[result.argmax] != result.max) result.argmax++;
    return result;
}

double ck_logit_weights(const ck_context *context, const ck_logit_weights_args *args)
{
    sampling_task task = {
        .kernel = context->kernels->logit_weight_blocks_f32,
        .row = {.logits = args->logits, .count = args->count, .max = args->max, .temperature = args->temperature,
                .weights = args->weights, .block_value = args->block_sum},
    };
    run(context, &task);
    double sum = 0;
    for (int32_t b = 0; b < block_count(args->count); b++) sum += args->block_sum[b];
    return sum;
}
