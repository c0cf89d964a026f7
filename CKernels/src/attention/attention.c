#include "../kv.h"
#include "../parallel.h"

#include <stdatomic.h>

// Less work than this (multiply-adds) is done before another thread has woken for it.
enum { SERIAL_WORK_MAX = 32768 };

// How the rows of one sequence are cut. A unit is one tile of rows by one key/value head, over one split (few
// rows: the splits are what there is to share) or over all splits, merged on the way.
typedef struct sequence_plan {
    int32_t slot, num_rows, first_row;
    int32_t first_position;  // of the first row
    int32_t tokens_per_tile, num_tiles;
    int32_t head_tiles;  // of one group
    int32_t first_split, num_splits;
    bool deferred;      // each split is a unit of its own; partials meet in scratch
    int32_t num_units;
} sequence_plan;

typedef struct attention_task {
    const ck_attention_args *args;
    const ck_kernel_table *kernels;
    void (*run_tile)(const ck_attention_tile *tile);  // for the cache's type
    int32_t group;          // query heads of one key/value head
    size_t record;          // floats of one partial
    float *partials;        // of deferred sequences, after the threads' own parts
    size_t thread_elements;
    atomic_int next_unit;
} attention_task;

static int32_t divide_up(int32_t n, int32_t by) { return (n + by - 1) / by; }
static int32_t smaller(int32_t a, int32_t b) { return a < b ? a : b; }

static size_t record_elements(int32_t head_size) { return (size_t)ck_value_stride(head_size) + CK_PARTIAL_EXTRA; }

// A page of keys, or the values of a block in a page's width of columns.
size_t ck_attention_widened_elements(int32_t head_size)
{
    return (size_t)(head_size > CK_ATTENTION_BLOCK ? head_size : CK_ATTENTION_BLOCK) * CK_KV_PAGE;
}

// Packed query rows, scores, two records a row (the running merge and the split at hand), and widened elements.
static size_t thread_elements(int32_t head_size)
{
    const size_t query = (size_t)ck_value_stride(head_size);
    return CK_ATTENTION_ROWS_MAX * (query + CK_ATTENTION_BLOCK + 2 * record_elements(head_size)) +
           ck_attention_widened_elements(head_size);
}

static int32_t tokens_per_tile(int32_t group)
{
    return group < CK_ATTENTION_ROWS_MAX ? CK_ATTENTION_ROWS_MAX / group : 1;
}

size_t ck_attention_scratch_bytes(const ck_context *context, const ck_attention_limits *limits)
{
    const int32_t tile = tokens_per_tile(limits->num_heads / limits->num_kv_heads);
    int64_t rows = (int64_t)tile * limits->num_sequences;
    if (rows > limits->num_rows) rows = limits->num_rows;
    const size_t splits = (size_t)divide_up(limits->kv_length, CK_ATTENTION_SPLIT);
    size_t elements = (size_t)context->num_threads * thread_elements(limits->head_size);
    elements += (size_t)rows * (size_t)limits->num_heads * splits * record_elements(limits->head_size);
    return elements * sizeof(float);
}

static sequence_plan plan_sequence(const attention_task *task, int32_t s)
{
    const ck_attention_args *args = task->args;
    const ck_ragged_batch *batch = &args->batch;
    sequence_plan plan = {
        .slot = batch->slot[s],
        .first_row = batch->row_start[s],
        .num_rows = batch->row_start[s + 1] - batch->row_start[s],
        .tokens_per_tile = tokens_per_tile(task->group),
        .head_tiles = divide_up(task->group, CK_ATTENTION_ROWS_MAX),
    };
    plan.first_position = batch->kv_length[s] - plan.num_rows;
    plan.num_tiles = divide_up(plan.num_rows, plan.tokens_per_tile);
    const int32_t window = args->window, first = plan.first_position;
    const int32_t low = window > 0 && first >= window ? first - window + 1 : 0;
    plan.first_split = low / CK_ATTENTION_SPLIT;
    plan.num_splits = (batch->kv_length[s] - 1) / CK_ATTENTION_SPLIT - plan.first_split + 1;
    plan.deferred = plan.num_tiles == 1 && plan.num_splits > 1;
    plan.num_units = plan.num_tiles * args->kv.num_kv_heads * plan.head_tiles * (plan.deferred ? plan.num_splits : 1);
    return plan;
}

// Floats that a deferred sequence's partials take: [Hkv, rows, group, splits, record].
static size_t deferred_elements(const attention_task *task, const sequence_plan *plan)
{
    if (!plan->deferred) return 0;
    return (size_t)plan->num_rows * (size_t)task->args->num_heads * (size_t)plan->num_splits * task->record;
}

static void pack_queries(const attention_task *task, float *packed, int32_t row, int32_t tokens, int32_t head,
                         int32_t heads)
{
    const ck_attention_args *args = task->args;
    const size_t size = (size_t)args->kv.head_size;
    for (int32_t i = 0; i < tokens; i++) {
        const float *q = args->q + (size_t)(row + i) * args->q_stride + (size_t)head * size;
        const size_t count = (size_t)heads * size;
        for (size_t j = 0; j < count; j++) packed[(size_t)i * count + j] = q[j] * args->scale;
    }
}

static void run_split(const attention_task *task, ck_attention_tile *tile, int32_t split)
{
    tile->begin = split * CK_ATTENTION_SPLIT;
    tile->end = smaller(tile->begin + CK_ATTENTION_SPLIT, tile->first_position + tile->num_tokens);
    task->run_tile(tile);
}

// Every split of a tile in ascending order, merged as they come, and the outputs.
static void run_tile(const attention_task *task, ck_attention_tile *tile, float *records, int32_t row, int32_t head,
                     int32_t first_split)
{
    const ck_attention_args *args = task->args;
    const int32_t value_stride = ck_value_stride(args->kv.head_size), rows = tile->num_tokens * tile->num_heads;
    const int32_t last_split = (tile->first_position + tile->num_tokens - 1) / CK_ATTENTION_SPLIT;
    float *other = records + CK_ATTENTION_ROWS_MAX * task->record;
    tile->partial_stride = task->record;
    for (int32_t split = first_split; split <= last_split; split++) {
        tile->partials = split == first_split ? records : other;
        run_split(task, tile, split);
        for (int32_t m = 0; split > first_split && m < rows; m++) {
            const size_t at = (size_t)m * task->record;
            task->kernels->attention_merge_row_f32(records + at, other + at, value_stride);
        }
    }
    for (int32_t m = 0; m < rows; m++) {
        const size_t out_head = (size_t)(head + m % tile->num_heads) * (size_t)args->kv.head_size;
        float *out = args->out + (size_t)(row + m / tile->num_heads) * args->out_stride + out_head;
        task->kernels->attention_output_row_f32(out, records + (size_t)m * task->record, args->kv.head_size,
                                                value_stride);
    }
}

// Unit `unit` of a sequence whose deferred partials are at `partials`; `own` is the thread's part of scratch.
static void run_unit(const attention_task *task, const sequence_plan *plan, float *partials, float *own, int32_t unit)
{
    const ck_attention_args *args = task->args;
    int32_t split = 0;
    if (plan->deferred) split = unit % plan->num_splits, unit /= plan->num_splits;
    // Last tiles first: they see most, and small units at the end keep the threads level.
    const int32_t token = (plan->num_tiles - 1 - unit % plan->num_tiles) * plan->tokens_per_tile;
    unit /= plan->num_tiles;
    const ck_range heads = ck_share(task->group, unit % plan->head_tiles, plan->head_tiles);
    const int32_t kv_head = unit / plan->head_tiles, head = kv_head * task->group + heads.begin;
    const int32_t row = plan->first_row + token;
    const size_t query_elements = CK_ATTENTION_ROWS_MAX * (size_t)ck_value_stride(args->kv.head_size);
    ck_attention_tile tile = {
        .q = own,
        .kv = &args->kv,
        .pages = ck_slot_pages(&args->kv, plan->slot),
        .kv_head = kv_head,
        .num_tokens = smaller(plan->tokens_per_tile, plan->num_rows - token),
        .num_heads = heads.end - heads.begin,
        .first_position = plan->first_position + token,
        .window = args->window,
        .mask = args->mask ? args->mask + (size_t)row * args->mask_stride : NULL,
        .mask_stride = args->mask_stride,
        .scores = own + query_elements,
    };
    float *records = tile.scores + CK_ATTENTION_ROWS_MAX * CK_ATTENTION_BLOCK;
    tile.widened = records + 2 * CK_ATTENTION_ROWS_MAX * task->record;
    pack_queries(task, own, row, tile.num_tokens, head, tile.num_heads);
    if (plan->deferred) {
        const size_t first = ((size_t)kv_head * (size_t)plan->num_rows + (size_t)token) * (size_t)task->group;
        tile.partial_stride = (size_t)plan->num_splits * task->record;
        tile.partials = partials + (first + (size_t)heads.begin) * tile.partial_stride + (size_t)split * task->record;
        run_split(task, &tile, plan->first_split + split);
    } else {
        run_tile(task, &tile, records, row, head, plan->first_split);
    }
}

// Rows of deferred sequences, counted through all of them, begin...end - 1: merge and write.
static void merge_rows(const attention_task *task, ck_range range)
{
    const ck_attention_args *args = task->args;
    const int32_t value_stride = ck_value_stride(args->kv.head_size);
    float *partials = task->partials;
    int32_t before = 0;
    for (int32_t s = 0; s < args->batch.num_sequences && before < range.end; s++) {
        const sequence_plan plan = plan_sequence(task, s);
        if (!plan.deferred) continue;
        const int32_t rows = plan.num_rows * args->num_heads;
        for (int32_t m = range.begin > before ? range.begin - before : 0; m < rows && before + m < range.end; m++) {
            float *into = partials + (size_t)m * (size_t)plan.num_splits * task->record;
            for (int32_t i = 1; i < plan.num_splits; i++)
                task->kernels->attention_merge_row_f32(into, into + (size_t)i * task->record, value_stride);
            const int32_t kv_head = m / (plan.num_rows * task->group), token = m / task->group % plan.num_rows;
            const int32_t head = kv_head * task->group + m % task->group;
            float *out = args->out + (size_t)(plan.first_row + token) * args->out_stride;
            task->kernels->attention_output_row_f32(out + (size_t)head * (size_t)args->kv.head_size, into,
                                                    args->kv.head_size, value_stride);
        }
        before += rows;
        partials += deferred_elements(task, &plan);
    }
}

static int32_t count_deferred_rows(const attention_task *task)
{
    int32_t rows = 0;
    for (int32_t s = 0; s < task->args->batch.num_sequences; s++) {
        const sequence_plan plan = plan_sequence(task, s);
        if (plan.deferred) rows += plan.num_rows * task->args->num_heads;
    }
    return rows;
}

static void run_attention(void *argument, int32_t thread, int32_t num_threads)
{
    attention_task *task = argument;
    float *own = (float *)task->args->scratch + (size_t)thread * task->thread_elements;
    float *partials = task->partials;
    int32_t unit = atomic_fetch_add(&task->next_unit, 1), before = 0;
    for (int32_t s = 0; s < task->args->batch.num_sequences; s++) {
        const sequence_plan plan = plan_sequence(task, s);
        for (; unit < before + plan.num_units; unit = atomic_fetch_add(&task->next_unit, 1))
            run_unit(task, &plan, partials, own, unit - before);
        before += plan.num_units;
        partials += deferred_elements(task, &plan);
    }
    const int32_t deferred = count_deferred_rows(task);
    if (deferred == 0) return;
    ck_barrier(num_threads);
    merge_rows(task, ck_share(deferred, thread, num_threads));
}

static bool is_small(const ck_attention_args *args)
{
    const ck_ragged_batch *batch = &args->batch;
    int64_t keys = 0;
    for (int32_t s = 0; s < batch->num_sequences; s++)
        keys += (int64_t)(batch->row_start[s + 1] - batch->row_start[s]) * batch->kv_length[s];
    return keys * args->num_heads * args->kv.head_size * 2 <= SERIAL_WORK_MAX;
}

static void (*tile_kernel(const ck_kernel_table *kernels, ck_kv_type type))(const ck_attention_tile *tile)
{
    switch (type) {
    case CK_KV_F32: return kernels->attention_tile_f32;
    case CK_KV_F16: return kernels->attention_tile_f16;
    case CK_KV_BF16: return kernels->attention_tile_bf16;
    case CK_KV_I8: return kernels->attention_tile_i8;
    }
    return NULL;
}

void ck_attention_f32(const ck_context *context, const ck_attention_args *args)
{
    attention_task task = {
        .args = args,
        .kernels = context->kernels,
        .run_tile = tile_kernel(context->kernels, args->kv.type),
        .group = args->num_heads / args->kv.num_kv_heads,
        .record = record_elements(args->kv.head_size),
        .thread_elements = thread_elements(args->kv.head_size),
    };
    task.partials = (float *)args->scratch + (size_t)context->num_threads * task.thread_elements;
    if (is_small(args)) run_attention(&task, 0, 1);
    else ck_parallel(context, run_attention, &task);
}
