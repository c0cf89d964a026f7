#include "int_panel.h"
#include "pack_int.h"
#include "../float_formats.h"
#include "../parallel.h"

#include <math.h>

size_t ck_panel_bytes(ck_weight_type type, int32_t num_inputs)
{
    const size_t depth = (size_t)num_inputs;
    if (ck_is_int_type(type)) return ck_int_panel_bytes(type, num_inputs);
    if (type == CK_WEIGHT_F32) return depth * CK_PANEL_COLUMNS * sizeof(float);
    return (depth + (depth & 1)) * CK_PANEL_COLUMNS * sizeof(uint16_t);
}

static float read_source(const char *source, ck_weight_type type, size_t index)
{
    if (type == CK_WEIGHT_F32) {
        float x;
        memcpy(&x, source + index * sizeof x, sizeof x);
        return x;
    }
    uint16_t h;
    memcpy(&h, source + index * sizeof h, sizeof h);
    return type == CK_WEIGHT_F16 ? ck_f16_to_f32(h) : ck_bf16_to_f32(h);
}

// Index of element (k, column) in a panel.
static size_t panel_index(ck_weight_type type, int32_t k, int32_t column)
{
    if (type != CK_WEIGHT_BF16) return (size_t)k * CK_PANEL_COLUMNS + (size_t)column;
    return ((size_t)(k / 2) * CK_PANEL_COLUMNS + (size_t)column) * 2 + (size_t)(k % 2);
}

// Stores x; whether it was finite and still is.
static bool write_panel(void *panel, ck_weight_type type, size_t index, float x)
{
    switch (type) {
    case CK_WEIGHT_F32: ((float *)panel)[index] = x; break;
    case CK_WEIGHT_F16: {
        uint16_t h = ck_f32_to_f16(x);
        ((uint16_t *)panel)[index] = h;
        return isfinite(x) && (h & 0x7c00) != 0x7c00;
    }
    case CK_WEIGHT_BF16: {
        uint16_t h = ck_f32_to_bf16(x);
        ((uint16_t *)panel)[index] = h;
        return isfinite(x) && (h & 0x7f80) != 0x7f80;
    }
    default: return false;  // integers are written by groups
    }
    return isfinite(x);
}

typedef struct pack_task {
    const ck_pack_args *args;
    int64_t bad[CK_THREADS_MAX];  // first element each thread could not hold, or -1
} pack_task;

// The same for one column of an I8 or I4 panel. Returns the first element that cannot be held, or -1.
static int64_t pack_int_column(const ck_pack_args *args, char *panel, int32_t row)
{
    const int32_t inputs = args->num_inputs;
    const size_t start = (size_t)row * (size_t)inputs;
    int64_t bad = -1;
    for (int32_t first = 0; first < inputs; first += CK_GROUP) {
        float weights[CK_GROUP] = {0};
        for (int32_t k = 0; k < CK_GROUP && first + k < inputs; k++) {
            weights[k] = read_source(args->source, args->source_type, start + (size_t)(first + k));
            if (!isfinite(weights[k]) && bad < 0) bad = (int64_t)start + first + k;
        }
        if (bad >= 0) break;
        if (!ck_quantize_group(panel, args->type, first / CK_GROUP, row % CK_PANEL_COLUMNS, weights))
            bad = (int64_t)start + first;
    }
    return bad;
}

static int64_t pack_panel(const ck_pack_args *args, int32_t index)
{
    const size_t panel_bytes = ck_panel_bytes(args->type, args->num_inputs);
    char *panel = (char *)args->panels + (size_t)(args->first_panel + index * args->panel_step) * panel_bytes;
    memset(panel, 0, panel_bytes);  // I4's padding is then -8 times a scale of zero
    int64_t bad = -1;
    for (int32_t column = 0; column < CK_PANEL_COLUMNS; column++) {
        int32_t row = index * CK_PANEL_COLUMNS + column;
        if (row >= args->num_outputs) break;
        if (ck_is_int_type(args->type)) {
            const int64_t found = pack_int_column(args, panel, row);
            if (bad < 0) bad = found;
            continue;
        }
        for (int32_t k = 0; k < args->num_inputs; k++) {
            size_t from = (size_t)row * (size_t)args->num_inputs + (size_t)k;
            float x = read_source(args->source, args->source_type, from);
            if (!write_panel(panel, args->type, panel_index(args->type, k, column), x) && bad < 0) bad = (int64_t)from;
        }
    }
    return bad;
}

static void run_pack(void *argument, int32_t thread, int32_t num_threads)
{
    pack_task *task = argument;
    const ck_pack_args *args = task->args;
    ck_range panels = ck_share((args->num_outputs + CK_PANEL_COLUMNS - 1) / CK_PANEL_COLUMNS, thread, num_threads);
    for (int32_t i = panels.begin; i < panels.end; i++) {
        int64_t bad = pack_panel(args, i);
        if (bad >= 0 && task->bad[thread] < 0) task->bad[thread] = bad;
    }
}

int64_t ck_pack_linear(const ck_context *context, const ck_pack_args *args)
{
    pack_task task = {.args = args};
    for (int32_t i = 0; i < CK_THREADS_MAX; i++) task.bad[i] = -1;
    ck_parallel(context, run_pack, &task);
    for (int32_t i = 0; i < CK_THREADS_MAX; i++)
        if (task.bad[i] >= 0) return task.bad[i];
    return -1;
}

typedef struct gather_task {
    const ck_unpack_args *args;
} gather_task;

static void run_gather(void *argument, int32_t thread, int32_t num_threads)
{
    const ck_unpack_args *args = ((const gather_task *)argument)->args;
    const size_t panel_bytes = ck_panel_bytes(args->type, args->num_inputs);
    ck_range rows = ck_share(args->num_rows, thread, num_threads);
    for (int32_t t = rows.begin; t < rows.end; t++) {
        const int32_t source = args->index[t];
        const char *panel = (const char *)args->panels + (size_t)(source / CK_PANEL_COLUMNS) * panel_bytes;
        float *out = args->out + (size_t)t * args->out_stride;
        const int32_t column = source % CK_PANEL_COLUMNS;
        for (int32_t k = 0; k < args->num_inputs; k++)
            out[k] = ck_is_int_type(args->type)
                         ? ck_int_weight(panel, args->type, k, column)
                         : read_source(panel, args->type, panel_index(args->type, k, column));
    }
}

void ck_embedding_gather(const ck_context *context, const ck_unpack_args *args)
{
    gather_task task = {args};
    ck_parallel(context, run_gather, &task);
}
