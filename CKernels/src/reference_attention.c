#include "../include/ck_reference.h"

#include <math.h>

#pragma clang fp contract(off)

enum { COLUMNS_AT_ONCE = 64 };

// The layout of ck_kv.h, spelled out again: an oracle shares no address arithmetic with what it judges.
static float *key(const ck_kv_f32 *kv, int32_t slot, int32_t position, int32_t head, int32_t d)
{
    const size_t page = (size_t)kv->page_table[(size_t)slot * kv->page_table_stride + (size_t)(position / 32)];
    const size_t row = (page * (size_t)kv->num_kv_heads + (size_t)head) * (size_t)kv->head_size + (size_t)d;
    return kv->k + row * 32 + (size_t)(position % 32);
}

static float *value(const ck_kv_f32 *kv, int32_t slot, int32_t position, int32_t head, int32_t d)
{
    const size_t page = (size_t)kv->page_table[(size_t)slot * kv->page_table_stride + (size_t)(position / 32)];
    const size_t row = (page * (size_t)kv->num_kv_heads + (size_t)head) * 32 + (size_t)(position % 32);
    return kv->v + row * (size_t)((kv->head_size + 15) / 16 * 16) + d;
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
                for (int32_t d = 0; d < size; d++) {
                    *key(&args->kv, slot, position, g, d) = k[d];
                    *value(&args->kv, slot, position, g, d) = row[args->v_offset + (size_t)(g * size + d)];
                }
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
    const ck_kv_f32 *kv = &row->args->kv;
    double sum = 0;
    for (int32_t d = 0; d < kv->head_size; d++) sum += (double)row->q[d] * *key(kv, row->slot, j, row->kv_head, d);
    return sum * row->args->scale;
}

static void attend(const reference_row *row, float *out)
{
    const ck_kv_f32 *kv = &row->args->kv;
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
                sums[d - first] += weight * *value(kv, row->slot, j, row->kv_head, d);
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
