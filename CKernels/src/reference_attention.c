#include "../include/ck_reference.h"
#include "float_formats.h"

#include <math.h>

#pragma clang fp contract(off)

enum { COLUMNS_AT_ONCE = 64 };

// The layout of ck_kv.h, spelled out again: an oracle shares no address arithmetic with what it judges. A head_page is
// one head of one page: for int8 the scales of its 32 positions, then its elements.
typedef struct head_page {
    char *base;
    ck_kv_type type;
} head_page;

static head_page page_of(const ck_kv *kv, char *pool, int32_t columns, int32_t slot, int32_t position, int32_t head)
{
    const int32_t page = kv->page_table[(size_t)slot * kv->page_table_stride + (size_t)(position / 32)];
    static const size_t bytes[] = {4, 2, 2, 1}, scales[] = {0, 0, 0, 128};
    const size_t row = (size_t)page * (size_t)kv->num_kv_heads + (size_t)head;
    return (head_page){pool + row * (scales[kv->type] + 32 * bytes[kv->type] * (size_t)columns), kv->type};
}

static double read_element(head_page page, size_t index, int32_t position)
{
    switch (page.type) {
    case CK_KV_F32: return ((const float *)page.base)[index];
    case CK_KV_F16: return ck_f16_to_f32(((const uint16_t *)page.base)[index]);
    case CK_KV_BF16: return ck_bf16_to_f32(((const uint16_t *)page.base)[index]);
    case CK_KV_I8:
        return (double)((const signed char *)page.base)[128 + index] * ((const float *)page.base)[position % 32];
    }
    return NAN;
}

static double key(const ck_kv *kv, int32_t slot, int32_t position, int32_t head, int32_t d)
{
    const head_page page = page_of(kv, kv->k, kv->head_size, slot, position, head);
    return read_element(page, (size_t)(d * 32 + position % 32), position);
}

static double value(const ck_kv *kv, int32_t slot, int32_t position, int32_t head, int32_t d)
{
    const int32_t stride = (kv->head_size + 15) / 16 * 16;
    const head_page page = page_of(kv, kv->v, stride, slot, position, head);
    return read_element(page, (size_t)(position % 32 * stride + d), position);
}

// The greatest magnitude of a head's elements; NaN where one is not finite.
static float greatest(const float *x, int32_t count)
{
    float most = 0;
    for (int32_t i = 0; i < count; i++) {
        if (!isfinite(x[i])) return NAN;
        most = fmaxf(most, fabsf(x[i]));
    }
    return most;
}

// Element d of x, a key or value of `size` elements, into place `index`.
static void put(head_page page, size_t index, int32_t position, const float *x, int32_t size, int32_t d)
{
    switch (page.type) {
    case CK_KV_F32: ((float *)page.base)[index] = x[d]; break;
    case CK_KV_F16: ((uint16_t *)page.base)[index] = ck_f32_to_f16(x[d]); break;
    case CK_KV_BF16: ((uint16_t *)page.base)[index] = ck_f32_to_bf16(x[d]); break;
    case CK_KV_I8: {
        const float most = greatest(x, size);
        const bool rounds = most >= 0x1p-100f;
        ((signed char *)page.base)[128 + index] = rounds ? (signed char)rintf(x[d] * (127 / most)) : 0;
        ((float *)page.base)[position % 32] = rounds ? most / 127 : isnan(most) ? NAN : 0;
        break;
    }
    }
}

static void append(const ck_kv *kv, int32_t slot, int32_t position, int32_t head, const float *k, const float *v)
{
    const int32_t size = kv->head_size, stride = (size + 15) / 16 * 16;
    for (int32_t d = 0; d < size; d++) {
        put(page_of(kv, kv->k, size, slot, position, head), (size_t)(d * 32 + position % 32), position, k, size, d);
        put(page_of(kv, kv->v, stride, slot, position, head), (size_t)(position % 32 * stride + d), position, v, size,
            d);
    }
}

static double element(const float *x, const float *norm, double root, int32_t i)
{
    return norm ? x[i] / root * norm[i] : x[i];
}

// Norms and turns one head in place. Elements pass through float only at the end.
static void turn(const ck_rope_append_args *args, float *x, const float *norm, int32_t position)
{
    const int32_t size = args->kv.head_size, pairs = size / 2;
    double sum = 0;
    for (int32_t i = 0; i < size; i++) sum += (double)x[i] * x[i];
    const double root = sqrt(sum / size + args->norm_eps);
    for (int32_t i = 0; i < pairs; i++) {
        const int32_t first = args->pairing == CK_ROPE_HALVES ? i : 2 * i;
        const int32_t second = args->pairing == CK_ROPE_HALVES ? i + pairs : 2 * i + 1;
        const double c = args->cosines[(size_t)position * (size_t)pairs + (size_t)i];
        const double s = args->sines[(size_t)position * (size_t)pairs + (size_t)i];
        const double a = element(x, norm, root, first), b = element(x, norm, root, second);
        x[first] = (float)(a * c - b * s);
        x[second] = (float)(b * c + a * s);
    }
}

void ck_reference_rope_append_f32(const ck_rope_append_args *args)
{
    const int32_t size = args->kv.head_size;
    for (int32_t s = 0; s < args->batch.num_sequences; s++) {
        const int32_t end = args->batch.row_start[s + 1];
        for (int32_t t = args->batch.row_start[s]; t < end; t++) {
            const int32_t position = args->batch.kv_length[s] - (end - t), slot = args->batch.slot[s];
            float *row = args->qkv + (size_t)t * args->qkv_stride;
            for (int32_t h = 0; h < args->num_heads; h++)
                turn(args, row + (size_t)h * (size_t)size, args->q_norm, position);
            for (int32_t g = 0; g < args->kv.num_kv_heads; g++) {
                float *k = row + args->k_offset + (size_t)g * (size_t)size;
                turn(args, k, args->k_norm, position);
                append(&args->kv, slot, position, g, k, row + args->v_offset + (size_t)g * (size_t)size);
            }
        }
    }
}

// One row of one head: where its query is, what it sees.
typedef struct reference_row {
    const ck_attention_args *args;
    const float *q;
    const uint8_t *mask;
    int32_t slot, kv_head, low, position;
} reference_row;

static bool visible(const reference_row *row, int32_t j) { return !row->mask || row->mask[j]; }

static double score(const reference_row *row, int32_t j)
{
    const ck_kv *kv = &row->args->kv;
    double sum = 0;
    for (int32_t d = 0; d < kv->head_size; d++) sum += (double)row->q[d] * key(kv, row->slot, j, row->kv_head, d);
    return sum * row->args->scale;
}

static void attend(const reference_row *row, float *out)
{
    const ck_kv *kv = &row->args->kv;
    double maximum = -INFINITY;
    for (int32_t j = row->low; j <= row->position; j++)
        if (visible(row, j)) maximum = fmax(maximum, score(row, j));
    for (int32_t first = 0; first < kv->head_size; first += COLUMNS_AT_ONCE) {
        double sums[COLUMNS_AT_ONCE] = {0}, weights = 0;
        for (int32_t j = row->low; j <= row->position; j++) {
            if (!visible(row, j)) continue;
            const double weight = exp(score(row, j) - maximum);
            weights += weight;
            for (int32_t d = first; d < kv->head_size && d < first + COLUMNS_AT_ONCE; d++)
                sums[d - first] += weight * value(kv, row->slot, j, row->kv_head, d);
        }
        for (int32_t d = first; d < kv->head_size && d < first + COLUMNS_AT_ONCE; d++)
            out[d] = weights == 0 ? 0 : (float)(sums[d - first] / weights);
    }
}

void ck_reference_attention_f32(const ck_attention_args *args)
{
    const size_t size = (size_t)args->kv.head_size;
    for (int32_t s = 0; s < args->batch.num_sequences; s++) {
        const int32_t end = args->batch.row_start[s + 1];
        for (int32_t t = args->batch.row_start[s]; t < end; t++) {
            const int32_t position = args->batch.kv_length[s] - (end - t);
            const int32_t low = args->window > 0 ? position - args->window + 1 : 0;
            for (int32_t h = 0; h < args->num_heads; h++) {
                const reference_row row = {
                    .args = args,
                    .q = args->q + (size_t)t * args->q_stride + (size_t)h * size,
                    .mask = args->mask ? args->mask + (size_t)t * args->mask_stride : NULL,
                    .slot = args->batch.slot[s],
                    .kv_head = h / (args->num_heads / args->kv.num_kv_heads),
                    .low = low > 0 ? low : 0,
                    .position = position,
                };
                attend(&row, args->out + (size_t)t * args->out_stride + (size_t)h * size);
            }
        }
    }
}
