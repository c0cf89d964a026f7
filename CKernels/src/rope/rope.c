#include "../kv.h"
#include "../parallel.h"

// Fewer elements than this, a microsecond's work and more, cost less than starting the other threads on them.
enum { ELEMENTS_PER_THREAD_MIN = 1024 };

typedef struct rope_task {
    const ck_kernel_table *kernels;
    const ck_rope_append_args *args;
} rope_task;

static void turn_head(const rope_task *task, float *x, const float *norm, int32_t position)
{
    const ck_rope_append_args *args = task->args;
    const int32_t size = args->kv.head_size;
    if (norm) {
        ck_rms_norm_row row = {.x = x, .weight = norm, .out = x, .eps = args->norm_eps, .count = size};
        task->kernels->rms_norm_row_f32(&row);
    }
    const size_t at = (size_t)position * (size_t)(size / 2);
    ck_rope_head head = {
        .x = x,
        .cosines = args->cosines + at,
        .sines = args->sines + at,
        .num_pairs = size / 2,
        .pairing = args->pairing,
    };
    task->kernels->rope_head_f32(&head);
}

// A key or value to position `place` of its head's page, its elements from `first` on, `stride` apart.
static void append_head(const rope_task *task, const float *x, char *page, size_t place, size_t first, size_t stride)
{
    const ck_kv *kv = &task->args->kv;
    char *elements = page + ck_kv_scale_bytes(kv->type);
    const ck_kv_head head = {
        .x = x,
        .count = kv->head_size,
        .type = kv->type,
        .out = elements + first * ck_kv_element_bytes(kv->type),
        .out_stride = stride,
        .scale = kv->type == CK_KV_I8 ? (float *)page + place : NULL,
    };
    task->kernels->kv_append_head(&head);
}

static void append_row(const rope_task *task, float *row, int32_t slot, int32_t position)
{
    const ck_rope_append_args *args = task->args;
    const int32_t size = args->kv.head_size;
    const ck_kv_type type = args->kv.type;
    for (int32_t h = 0; h < args->num_heads; h++)
        turn_head(task, row + (size_t)h * (size_t)size, args->q_norm, position);

    const int32_t page = ck_slot_pages(&args->kv, slot)[position / CK_KV_PAGE];
    const size_t place = (size_t)(position % CK_KV_PAGE);
    for (int32_t g = 0; g < args->kv.num_kv_heads; g++) {
        float *k = row + args->k_offset + (size_t)g * (size_t)size;
        const float *v = row + args->v_offset + (size_t)g * (size_t)size;
        turn_head(task, k, args->k_norm, position);
        append_head(task, k, ck_key_page(&args->kv, type, page, g), place, place, CK_KV_PAGE);
        append_head(task, v, ck_value_page(&args->kv, type, page, g), place, place * (size_t)ck_value_stride(size), 1);
    }
}

static void run_rope(void *argument, int32_t thread, int32_t num_threads)
{
    const rope_task *task = argument;
    const ck_rope_append_args *args = task->args;
    const ck_ragged_batch *batch = &args->batch;
    ck_range rows = ck_share(batch->row_start[batch->num_sequences], thread, num_threads);
    int32_t s = 0;
    for (int32_t t = rows.begin; t < rows.end; t++) {
        while (batch->row_start[s + 1] <= t) s++;
        const int32_t position = batch->kv_length[s] - (batch->row_start[s + 1] - t);
        append_row(task, args->qkv + (size_t)t * args->qkv_stride, batch->slot[s], position);
    }
}

void ck_rope_append_f32(const ck_context *context, const ck_rope_append_args *args)
{
    rope_task task = {.kernels = context->kernels, .args = args};
    const int32_t num_rows = args->batch.row_start[args->batch.num_sequences];
    const int64_t elements = (int64_t)num_rows * (args->num_heads + 2 * args->kv.num_kv_heads) * args->kv.head_size;
    if (num_rows <= 1 || elements < ELEMENTS_PER_THREAD_MIN) run_rope(&task, 0, 1);
    else ck_parallel(context, run_rope, &task);
}
