#include "blocks.h"
#include "../linear/int_panel.h"
#include "../linear/pack_int.h"
#include "../parallel.h"

#include <math.h>

// MARK: - One group of a row

static void q8_0(const uint8_t *block, int j, ck_int_group *group)
{
    (void)j;
    group->scale = read_half(block);
    for (int i = 0; i < CK_GROUP; i++) group->q[i] = (int8_t)block[2 + i];
}

static void q4_0(const uint8_t *block, int j, ck_int_group *group)
{
    (void)j;
    group->scale = read_half(block);
    for (int i = 0; i < CK_GROUP; i++) group->q[i] = (int16_t)(small_nibble(block + 2, i) - 8);
}

static void q4_1(const uint8_t *block, int j, ck_int_group *group)
{
    (void)j;
    group->scale = read_half(block), group->second = read_half(block + 2);
    for (int i = 0; i < CK_GROUP; i++) group->q[i] = (int16_t)small_nibble(block + 4, i);
}

// The pairs lie after the high bits.
static void five_bits(const uint8_t *high, int32_t zero, ck_int_group *group)
{
    const uint32_t bits = read_u32(high);
    for (int i = 0; i < CK_GROUP; i++)
        group->q[i] = (int16_t)(small_nibble(high + 4, i) + 16 * (int32_t)(bits >> i & 1) - zero);
}

static void q5_0(const uint8_t *block, int j, ck_int_group *group)
{
    (void)j;
    group->scale = read_half(block);
    five_bits(block + 2, 16, group);
}

static void q5_1(const uint8_t *block, int j, ck_int_group *group)
{
    (void)j;
    group->scale = read_half(block), group->second = read_half(block + 2);
    five_bits(block + 4, 0, group);
}

static void k_scales(const uint8_t *block, int j, ck_int_group *group)
{
    int32_t s, t;
    scale_and_minimum(block + 4, j, &s, &t);
    group->factor = read_half(block), group->scale = (float)s;
    group->second_factor = -read_half(block + 2), group->second = (float)t;
}

static void q4_k(const uint8_t *block, int j, ck_int_group *group)
{
    k_scales(block, j, group);
    for (int l = 0; l < CK_GROUP; l++) group->q[l] = (int16_t)super_nibble(block + 16, j, l);
}

static void q5_k(const uint8_t *block, int j, ck_int_group *group)
{
    k_scales(block, j, group);
    for (int l = 0; l < CK_GROUP; l++)
        group->q[l] = (int16_t)(super_nibble(block + 48, j, l) + 16 * (block[16 + l] >> j & 1));
}

static void q6_k(const uint8_t *block, int j, ck_int_group *group)
{
    const uint8_t *scales = block + 192 + 2 * j;
    group->factor = group->second_factor = read_half(block + 208);
    group->scale = (float)(int8_t)scales[0], group->second = (float)(int8_t)scales[1];
    for (int i = 0; i < CK_GROUP; i++) group->q[i] = (int16_t)six_bits(block, CK_GROUP * j + i);
}

typedef struct held_format {
    ck_weight_type type;
    void (*read)(const uint8_t *block, int j, ck_int_group *group);
} held_format;

static const held_format held_formats[CK_BLOCK_FORMAT_COUNT] = {
    [CK_BLOCK_F32] = {CK_WEIGHT_F32, NULL},   [CK_BLOCK_F16] = {CK_WEIGHT_F16, NULL},
    [CK_BLOCK_BF16] = {CK_WEIGHT_BF16, NULL}, [CK_BLOCK_Q8_0] = {CK_WEIGHT_I8, q8_0},
    [CK_BLOCK_Q4_0] = {CK_WEIGHT_I4, q4_0},   [CK_BLOCK_Q4_1] = {CK_WEIGHT_I4A, q4_1},
    [CK_BLOCK_Q5_0] = {CK_WEIGHT_I8, q5_0},   [CK_BLOCK_Q5_1] = {CK_WEIGHT_I8A, q5_1},
    [CK_BLOCK_Q4_K] = {CK_WEIGHT_I4A, q4_k},  [CK_BLOCK_Q5_K] = {CK_WEIGHT_I8A, q5_k},
    [CK_BLOCK_Q6_K] = {CK_WEIGHT_I8H, q6_k},
};

ck_weight_type ck_block_weight_type(ck_block_format format) { return held_formats[format].type; }

static void read_block_group(const ck_pack_blocks_args *args, size_t row, size_t group, ck_int_group *out)
{
    const size_t elements = ck_block_elements(args->format), in_block = elements / CK_GROUP;
    const size_t block = row * ((size_t)args->place.num_inputs / elements) + group / in_block;
    const uint8_t *bytes = (const uint8_t *)args->blocks + block * ck_block_bytes(args->format);
    out->factor = out->second_factor = 1;
    out->second = 0;
    held_formats[args->format].read(bytes, (int)(group % in_block), out);
}

// MARK: - Affine groups of a checkpoint

static float read_number(const void *numbers, ck_weight_type type, size_t index)
{
    const uint8_t *bytes = (const uint8_t *)numbers + index * (type == CK_WEIGHT_F32 ? 4 : 2);
    if (type == CK_WEIGHT_F32) return ck_float(read_u32(bytes));
    return type == CK_WEIGHT_F16 ? read_half(bytes) : ck_bf16_to_f32(read_u16(bytes));
}

// The power of two by which the largest of a run's numbers comes close below what a binary16 may be: with 11 bits and
// less they then are binary16 themselves, unless one is 2^29 times another.
static float run_factor(const void *numbers, ck_weight_type type, size_t first, size_t count)
{
    float most = 0;
    for (size_t i = 0; i < count; i++) most = fmaxf(most, fabsf(read_number(numbers, type, first + i)));
    if (most == 0 || !isfinite(most)) return 1;
    const int exponent = ilogbf(most) - 14;
    return ldexpf(1, exponent < -126 ? -126 : exponent);
}

static int32_t affine_integer(const ck_affine *from, size_t index)
{
    const uint8_t *bytes = from->integers;
    return from->bits == 8 ? bytes[index] : bytes[index / 2] >> (index % 2 * 4) & 15;
}

static void read_affine_group(const ck_pack_affine_args *args, size_t row, size_t group, ck_int_group *out)
{
    const ck_affine *from = &args->source;
    const size_t inputs = (size_t)args->place.num_inputs, size = (size_t)from->group_size, of_row = inputs / size;
    const size_t begin = group / CK_RUN * CK_RUN * CK_GROUP, whole = begin + CK_RUN * CK_GROUP;
    const size_t end = whole < inputs ? whole : inputs;
    const size_t first = row * of_row + begin / size, count = (end - begin) / size;
    const size_t own = row * of_row + group * CK_GROUP / size;
    out->factor = run_factor(from->scales, from->scale_type, first, count);
    out->second_factor = run_factor(from->minima, from->scale_type, first, count);
    out->scale = read_number(from->scales, from->scale_type, own) / out->factor;
    out->second = read_number(from->minima, from->scale_type, own) / out->second_factor;
    for (size_t i = 0; i < CK_GROUP; i++)
        out->q[i] = (int16_t)affine_integer(from, row * inputs + group * CK_GROUP + i);
}

void ck_dequantize_affine(const ck_affine *source, int32_t num_inputs, int32_t num_outputs, float *out)
{
    const size_t size = (size_t)source->group_size, groups = (size_t)num_inputs / size * (size_t)num_outputs;
    for (size_t g = 0; g < groups; g++) {
        const float scale = read_number(source->scales, source->scale_type, g);
        const float minimum = read_number(source->minima, source->scale_type, g);
        for (size_t i = g * size; i < (g + 1) * size; i++)
            out[i] = fmaf((float)affine_integer(source, i), scale, minimum);
    }
}

// MARK: - All groups

typedef struct pack_task {
    const ck_pack_blocks_args *blocks;
    const ck_pack_affine_args *affine;  // of the two the one that is given
    const ck_pack_place *place;
    ck_weight_type type;
    int64_t bad[CK_THREADS_MAX];  // first weight that each thread could not hold, or -1
} pack_task;

// Returns the first weight of a group that cannot be held, or -1.
static int64_t pack_column(const pack_task *task, char *panel, int32_t row)
{
    const int32_t inputs = task->place->num_inputs;
    int64_t bad = -1;
    for (int32_t g = 0; g < inputs / CK_GROUP; g++) {
        ck_int_group group;
        if (task->blocks) read_block_group(task->blocks, (size_t)row, (size_t)g, &group);
        else read_affine_group(task->affine, (size_t)row, (size_t)g, &group);
        if (!ck_write_group(panel, task->type, g, row % CK_PANEL_COLUMNS, &group) && bad < 0)
            bad = (int64_t)row * inputs + (int64_t)g * CK_GROUP;
    }
    return bad;
}

static void run_pack(void *argument, int32_t thread, int32_t num_threads)
{
    pack_task *task = argument;
    const ck_pack_place *place = task->place;
    const size_t panel_bytes = ck_panel_bytes(task->type, place->num_inputs);
    ck_range panels = ck_share((place->num_outputs + CK_PANEL_COLUMNS - 1) / CK_PANEL_COLUMNS, thread, num_threads);
    for (int32_t i = panels.begin; i < panels.end; i++) {
        char *panel = (char *)place->panels + (size_t)(place->first_panel + i * place->panel_step) * panel_bytes;
        memset(panel, 0, panel_bytes);
        for (int32_t row = i * CK_PANEL_COLUMNS; row < (i + 1) * CK_PANEL_COLUMNS && row < place->num_outputs; row++) {
            const int64_t bad = pack_column(task, panel, row);
            if (bad >= 0 && task->bad[thread] < 0) task->bad[thread] = bad;
        }
    }
}

static int64_t pack(const ck_context *context, pack_task *task)
{
    for (int32_t i = 0; i < CK_THREADS_MAX; i++) task->bad[i] = -1;
    ck_parallel(context, run_pack, task);
    for (int32_t i = 0; i < CK_THREADS_MAX; i++)
        if (task->bad[i] >= 0) return task->bad[i];
    return -1;
}

int64_t ck_pack_blocks(const ck_context *context, const ck_pack_blocks_args *args)
{
    pack_task task = {.blocks = args, .place = &args->place, .type = ck_block_weight_type(args->format)};
    return pack(context, &task);
}

ck_weight_type ck_affine_weight_type(int32_t bits) { return bits == 8 ? CK_WEIGHT_I8A : CK_WEIGHT_I4A; }

int64_t ck_pack_affine(const ck_context *context, const ck_pack_affine_args *args)
{
    pack_task task = {.affine = args, .place = &args->place, .type = ck_affine_weight_type(args->source.bits)};
    return pack(context, &task);
}
