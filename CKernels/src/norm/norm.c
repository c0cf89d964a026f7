#include "../parallel.h"

// Fewer elements than this cost less than waking the other threads for them.
enum { ELEMENTS_PER_THREAD_MIN = 8192 };

typedef struct norm_task {
    const ck_kernel_table *kernels;
    ck_rms_norm_row row;  // row 0
    size_t x_stride, delta_stride, out_stride;
    int32_t num_rows;
} norm_task;

static void run_norm(void *argument, int32_t thread, int32_t num_threads)
{
    const norm_task *task = argument;
    ck_range rows = ck_share(task->num_rows, thread, num_threads);
    for (int32_t t = rows.begin; t < rows.end; t++) {
        ck_rms_norm_row row = task->row;
        row.x += (size_t)t * task->x_stride;
        row.out += (size_t)t * task->out_stride;
        if (row.delta) {
            row.delta += (size_t)t * task->delta_stride;
            row.sum += (size_t)t * task->x_stride;
        }
        task->kernels->rms_norm_row_f32(&row);
    }
}

static void run(const ck_context *context, norm_task *task)
{
    const int64_t elements = (int64_t)task->num_rows * task->row.count;
    if (task->num_rows <= 1 || elements < ELEMENTS_PER_THREAD_MIN) run_norm(task, 0, 1);
    else ck_parallel(context, run_norm, task);
}

void ck_rms_norm(const ck_context *context, const ck_rms_norm_args *args)
{
    norm_task task = {
        .kernels = context->kernels,
        .row = {.x = args->x, .weight = args->weight, .out = args->out, .eps = args->eps, .count = args->width},
        .x_stride = args->x_stride,
        .out_stride = args->out_stride,
        .num_rows = args->num_rows,
    };
    run(context, &task);
}

void ck_add_rms_norm(const ck_context *context, const ck_add_rms_norm_args *args)
{
    norm_task task = {
        .kernels = context->kernels,
        .row = {.x = args->residual, .delta = args->delta, .sum = args->residual, .weight = args->weight,
                .out = args->out, .eps = args->eps, .count = args->width},
        .x_stride = args->residual_stride,
        .delta_stride = args->delta_stride,
        .out_stride = args->out_stride,
        .num_rows = args->num_rows,
    };
    run(context, &task);
}
