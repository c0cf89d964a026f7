#include "linear_cblas.h"
#include "int_panel.h"
#include "../work_queue.h"

#include <string.h>

enum { ALIGNMENT = 64, FEW_ROWS = 3 };

static size_t round_up(size_t n, size_t multiple) { return (n + multiple - 1) / multiple * multiple; }

typedef struct linear_task {
    const ck_linear_args *args;
    const ck_kernel_table *kernels;
    void (*tile)(const ck_linear_tile *);
    const void *x;      // what the tile reads: args->x, or its conversion in scratch
    size_t x_stride, x_element_bytes;
    float *x_scales;    // of int8 activations, in scratch
    int32_t *x_sums;
    int32_t num_panels;
    int32_t panel_unit;  // 2 when gate and up panels belong together
    ck_work_queue *queue;  // of panel units
} linear_task;

static bool uses_bf16_activations(const ck_linear_args *args)
{
    return args->type == CK_WEIGHT_BF16 && args->activation == CK_ACTIVATION_BF16;
}

static bool uses_cblas(const ck_context *context, const ck_linear_args *args)
{
    return args->type == CK_WEIGHT_F32 && context->kernels->isa == CK_ISA_PORTABLE && ck_has_cblas();
}

// Rows of bf16 activations: an even count, so that the last pair is whole, and rows on cache lines of their own.
static size_t bf16_stride(int32_t num_inputs) { return round_up((size_t)num_inputs, ALIGNMENT / sizeof(uint16_t)); }

static bool uses_int8_activations(const ck_linear_args *args)
{
    return ck_is_int_type(args->type) &&
           (args->activation == CK_ACTIVATION_I8 || args->activation == CK_ACTIVATION_I8_PAIRS);
}

static bool bounds_pairs(const ck_kernel_table *kernels, const ck_linear_args *args)
{
    if (args->activation == CK_ACTIVATION_I8_PAIRS) return true;
    return kernels->i8_activation == CK_ACTIVATION_I8_PAIRS && !ck_is_nibble_type(args->type);
}

static size_t int8_stride(int32_t num_inputs) { return round_up((size_t)num_inputs, ALIGNMENT); }

// Int8 activations lie in scratch as rows of bytes, then the scales, then the sums of all rows' groups.
static size_t int8_rows_bytes(const ck_linear_args *args)
{
    return (size_t)args->num_rows * int8_stride(args->num_inputs);
}

static size_t int8_groups(const ck_linear_args *args)
{
    return (size_t)args->num_rows * (size_t)ck_num_groups(args->num_inputs);
}

size_t ck_linear_scratch_bytes(const ck_context *context, const ck_linear_args *args)
{
    if (uses_bf16_activations(args)) return (size_t)args->num_rows * bf16_stride(args->num_inputs) * sizeof(uint16_t);
    if (uses_int8_activations(args))
        return int8_rows_bytes(args) + int8_groups(args) * (sizeof(float) + 2 * sizeof(int32_t));
    if (uses_cblas(context, args)) return ck_cblas_scratch_bytes(args->num_rows, args->num_inputs);
    return 0;
}

static void round_to_bf16(const linear_task *task, int32_t t)
{
    const ck_linear_args *args = task->args;
    uint16_t *row = (uint16_t *)args->scratch + (size_t)t * task->x_stride;
    task->kernels->bf16_round_row(row, args->x + (size_t)t * args->x_stride, args->num_inputs);
    for (size_t k = (size_t)args->num_inputs; k < task->x_stride; k++) row[k] = 0;
}

static void round_to_int8(const linear_task *task, int32_t t)
{
    const ck_linear_args *args = task->args;
    const size_t group = (size_t)t * (size_t)ck_num_groups(args->num_inputs);
    const ck_i8_row row = {
        .x = args->x + (size_t)t * args->x_stride,
        .count = args->num_inputs,
        .bounds_pairs = bounds_pairs(task->kernels, args),
        .out = (int8_t *)args->scratch + (size_t)t * task->x_stride,
        .scales = task->x_scales + group,
        .sums = task->x_sums + 2 * group,
    };
    task->kernels->i8_round_row(&row);
}

static void round_activations(const linear_task *task, int32_t thread, int32_t num_threads)
{
    ck_range rows = ck_share(task->args->num_rows, thread, num_threads);
    for (int32_t t = rows.begin; t < rows.end; t++) {
        if (task->x_scales) round_to_int8(task, t);
        else round_to_bf16(task, t);
    }
}

// Rows x panels whose products fit the buffer of one tile, finished and stored; straight into place where there is
// nothing to finish.
static void run_tile(const linear_task *task, int32_t row, int32_t rows, int32_t panel, int32_t panels)
{
    const ck_linear_args *args = task->args;
    const size_t panel_bytes = ck_panel_bytes(args->type, args->num_inputs);
    float product[CK_TILE_ROWS_MAX * CK_TILE_PANELS_MAX * CK_PANEL_COLUMNS] __attribute__((aligned(ALIGNMENT)));
    const size_t width = (size_t)panels * CK_PANEL_COLUMNS;
    int32_t column = panel * CK_PANEL_COLUMNS;
    int32_t count = args->num_outputs - column < (int32_t)width ? args->num_outputs - column : (int32_t)width;
    const float *bias = args->bias ? args->bias + column : NULL;
    const size_t first_group = (size_t)row * (size_t)ck_num_groups(args->num_inputs);
    const bool in_place = args->epilogue == CK_EPILOGUE_STORE && !bias && count == (int32_t)width;
    ck_linear_tile tile = {
        .x = (const char *)task->x + (size_t)row * task->x_stride * task->x_element_bytes,
        .x_stride = task->x_stride,
        .x_scales = task->x_scales ? task->x_scales + first_group : NULL,
        .x_sums = task->x_sums ? task->x_sums + 2 * first_group : NULL,
        .panels = (const char *)args->panels + (size_t)panel * panel_bytes,
        .panel_stride_bytes = panel_bytes,
        .out = in_place ? args->out + (size_t)row * args->out_stride + column : product,
        .out_stride = in_place ? args->out_stride : width,
        .num_rows = rows,
        .num_panels = panels,
        .depth = args->num_inputs,
    };
    task->tile(&tile);

    if (in_place) return;
    if (args->epilogue == CK_EPILOGUE_SWIGLU) column /= 2, count /= 2;
    const ck_epilogue_tile finish = {
        .product = product,
        .product_stride = width,
        .bias = bias,
        .out = args->out + (size_t)row * args->out_stride + column,
        .out_stride = args->out_stride,
        .num_rows = rows,
        .count = count,
        .epilogue = args->epilogue,
    };
    task->kernels->linear_epilogue_tile(&finish);
}

static void run_linear(void *argument, int32_t thread, int32_t num_threads)
{
    const linear_task *task = argument;
    const ck_linear_args *args = task->args;
    if (task->x_element_bytes < sizeof(float)) {
        round_activations(task, thread, num_threads);
        ck_barrier(num_threads);
    }
    // Rows of one tile pass over each panel while it is in cache; rows of several would read all of a tile's panels
    // again, so then a tile has few.
    const int32_t chunks = (args->num_rows + CK_TILE_ROWS_MAX - 1) / CK_TILE_ROWS_MAX;
    const int32_t panels_best = task->kernels->linear_tile_panels(args->type, args->num_rows), unit = task->panel_unit;
    const int32_t multiple = panels_best % unit ? panels_best * unit : panels_best;  // unit is 1 or 2
    const int32_t group = chunks == 1 ? CK_TILE_PANELS_MAX / multiple * multiple : multiple;
    // Few rows need several panels to keep loads in flight; with more, who is done first takes what little is left.
    const ck_piece_size size = {multiple / unit, args->num_rows < FEW_ROWS ? multiple / unit : 1};
    ck_range units = ck_queue_take(task->queue, thread, size);
    for (; units.begin < units.end; units = ck_queue_take(task->queue, thread, size)) {
        const int32_t end = units.end * task->panel_unit;
        for (int32_t panel = units.begin * task->panel_unit; panel < end; panel += group) {
            int32_t panels = end - panel < group ? end - panel : group;
            for (int32_t c = 0; c < chunks; c++) {
                ck_range rows = ck_share(args->num_rows, c, chunks);
                run_tile(task, rows.begin, rows.end - rows.begin, panel, panels);
            }
        }
    }
}

static void (*tile_of(const ck_kernel_table *kernels, const ck_linear_args *args))(const ck_linear_tile *)
{
    const bool is_int8 = uses_int8_activations(args);
    switch (args->type) {
    case CK_WEIGHT_F32: return kernels->linear_tile_f32;
    case CK_WEIGHT_F16: return kernels->linear_tile_f16;
    case CK_WEIGHT_BF16:
        return uses_bf16_activations(args) ? kernels->linear_tile_bf16_bf16x : kernels->linear_tile_bf16;
    case CK_WEIGHT_I8: return is_int8 ? kernels->linear_tile_i8_i8x : kernels->linear_tile_i8;
    case CK_WEIGHT_I4: return is_int8 ? kernels->linear_tile_i4_i8x : kernels->linear_tile_i4;
    case CK_WEIGHT_I8A: return is_int8 ? kernels->linear_tile_i8a_i8x : kernels->linear_tile_i8a;
    case CK_WEIGHT_I4A: return is_int8 ? kernels->linear_tile_i4a_i8x : kernels->linear_tile_i4a;
    case CK_WEIGHT_I8H: return is_int8 ? kernels->linear_tile_i8h_i8x : kernels->linear_tile_i8h;
    }
    return NULL;
}

void ck_linear(const ck_context *context, const ck_linear_args *args)
{
    if (args->num_rows == 0 || args->num_outputs == 0) return;
    const ck_kernel_table *kernels = context->kernels;
    linear_task task = {
        .args = args,
        .kernels = kernels,
        .tile = tile_of(kernels, args),
        .x = args->x,
        .x_stride = args->x_stride,
        .x_element_bytes = sizeof(float),
        .num_panels = (args->num_outputs + CK_PANEL_COLUMNS - 1) / CK_PANEL_COLUMNS,
        .panel_unit = args->epilogue == CK_EPILOGUE_SWIGLU ? 2 : 1,
    };
    if (uses_bf16_activations(args)) {
        task.x = args->scratch;
        task.x_stride = bf16_stride(args->num_inputs);
        task.x_element_bytes = sizeof(uint16_t);
    } else if (uses_int8_activations(args)) {
        task.x = args->scratch;
        task.x_stride = int8_stride(args->num_inputs);
        task.x_element_bytes = sizeof(int8_t);
        task.x_scales = (float *)((char *)args->scratch + int8_rows_bytes(args));
        task.x_sums = (int32_t *)(task.x_scales + int8_groups(args));
    } else if (uses_cblas(context, args)) {
        task.tile = ck_linear_tile_cblas;
        task.x = ck_cblas_pad_rows(args);
        task.x_stride = (size_t)args->num_inputs;
    }
    ck_work_queue queue;
    ck_queue_fill(&queue, task.num_panels / task.panel_unit, context->num_threads);
    task.queue = &queue;
    ck_parallel(context, run_linear, &task);
}
