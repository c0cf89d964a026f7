// The attention tile: partial softmaxes over paged keys and values, against sums in double.
#include "check.h"

typedef struct tile_shape {
    int32_t head_size, num_kv_heads, num_tokens, num_heads, first_position, window;
    bool masked;
} tile_shape;

enum { POSITIONS_MAX = 640, PAGES_MAX = POSITIONS_MAX / CK_KV_PAGE };

// A cache of one slot. Pages lie in shuffled order; padding columns and positions that no row of the tile may
// read into a result hold NaN (int8: whatever poison is as an integer, and a scale of NaN).
static ck_kv make_cache(ck_kv_type type, const tile_shape *s, int32_t low, int32_t high)
{
    const int32_t pages = (high + CK_KV_PAGE - 1) / CK_KV_PAGE, heads = s->num_kv_heads;
    int32_t *table = check_bytes(PAGES_MAX * sizeof *table, sizeof *table);
    for (int32_t i = 0; i < pages; i++) table[i] = i;
    for (int32_t i = pages - 1; i > 0; i--) {
        const int32_t j = check_below(i + 1), held = table[i];
        table[i] = table[j], table[j] = held;
    }
    ck_kv kv = check_kv(type, pages, heads, s->head_size);
    kv.page_table_stride = PAGES_MAX;
    kv.page_table = table;
    for (int32_t j = low; j < high; j++)
        for (int32_t g = 0; g < heads; g++) check_kv_fill(&kv, table[j / 32], g, j % 32);
    check_make_read_only(kv.k);
    check_make_read_only(table);
    return kv;
}

static double key_at(const ck_attention_tile *t, int32_t j, int32_t d)
{
    return check_kv_element(t->kv, true, t->pages[j / 32], t->kv_head, j % 32, d);
}

static double value_at(const ck_attention_tile *t, int32_t j, int32_t d)
{
    return check_kv_element(t->kv, false, t->pages[j / 32], t->kv_head, j % 32, d);
}

// Scores of row m; -INFINITY where it does not look. Returns the greatest, and the most the terms of one add
// up to.
static double reference_scores(const ck_attention_tile *t, int32_t m, double *scores, double *magnitude)
{
    const int32_t token = m / t->num_heads, position = t->first_position + token;
    const int32_t low = t->window > 0 && position >= t->window ? position - t->window + 1 : 0;
    double maximum = -INFINITY;
    *magnitude = 0;
    for (int32_t j = t->begin; j < t->end; j++) {
        scores[j - t->begin] = -INFINITY;
        if (j < low || j > position) continue;
        if (t->mask && !t->mask[(size_t)token * t->mask_stride + (size_t)j]) continue;
        double sum = 0, size = 0;
        for (int32_t d = 0; d < t->kv->head_size; d++) {
            const double term = t->q[(size_t)m * (size_t)t->kv->head_size + (size_t)d] * key_at(t, j, d);
            sum += term, size += fabs(term);
        }
        scores[j - t->begin] = sum;
        maximum = fmax(maximum, sum), *magnitude = fmax(*magnitude, size);
    }
    return maximum;
}

static void compare_row(const ck_attention_tile *t, int32_t m)
{
    static double scores[CK_ATTENTION_SPLIT];
    const int32_t size = t->kv->head_size, count = t->end - t->begin;
    const float *partial = t->partials + (size_t)m * t->partial_stride;
    const float *softmax = partial + ck_kv_value_stride(size);
    double magnitude;
    const double maximum = reference_scores(t, m, scores, &magnitude);
    if (maximum == -INFINITY) {
        check(softmax[CK_PARTIAL_SUM] == 0, "sum of weights is %g where nothing is visible",
              softmax[CK_PARTIAL_SUM]);
        return;
    }
    double weights = 0;
    for (int32_t j = 0; j < count; j++) weights += exp(scores[j] - maximum);
    // Relative error of a weight: that of its score, and of exp; of a sum of n: n ulp more.
    const double bound = (double)FLT_EPSILON * ((size + 4) * magnitude + 16 + count);
    const double sum = softmax[CK_PARTIAL_SUM] * exp(softmax[CK_PARTIAL_MAXIMUM] - maximum);
    check_near(softmax[CK_PARTIAL_MAXIMUM], maximum, (size + 4) * (double)FLT_EPSILON * magnitude, "maximum",
               m);
    check_near(sum, weights, bound * weights, "sum of weights", m);
    for (int32_t d = 0; d < size; d++) {
        double expected = 0, terms = 0;
        for (int32_t j = 0; j < count; j++) {
            if (scores[j] == -INFINITY) continue;
            const double term = exp(scores[j] - maximum) * value_at(t, t->begin + j, d);
            expected += term, terms += fabs(term);
        }
        check_near(partial[d] / softmax[CK_PARTIAL_SUM], expected / weights, 2 * bound * terms / weights,
                   "value", d);
    }
}

// A row of the tile alone, whatever its neighbours, has the same bits.
static void compare_alone(const ck_attention_tile *t, void (*kernel)(const ck_attention_tile *))
{
    const int32_t m = check_below(t->num_tokens * t->num_heads), token = m / t->num_heads,
                  size = t->kv->head_size;
    ck_attention_tile alone = *t;
    alone.q = t->q + (size_t)m * (size_t)size;
    alone.num_tokens = alone.num_heads = 1;
    alone.first_position = t->first_position + token;
    if (t->mask) alone.mask = t->mask + (size_t)token * t->mask_stride;
    alone.partials = check_floats(t->partial_stride);
    alone.scores = check_floats(CK_ATTENTION_BLOCK);
    // Positions after this row's hold values only for later rows.
    if (alone.end > alone.first_position + 1) alone.end = alone.first_position + 1;
    if (alone.end <= alone.begin) return;
    kernel(&alone);
    const float *together = t->partials + (size_t)m * t->partial_stride;
    check_same_bits(alone.partials, together, (size_t)size, "row alone");
    check_same_bits(alone.partials + ck_kv_value_stride(size), together + ck_kv_value_stride(size), 2,
                    "softmax alone");
}

// What the last token brings reaches no earlier one: not even NaN.
static void compare_without_last(ck_attention_tile t, void (*kernel)(const ck_attention_tile *))
{
    const ck_kv *kv = t.kv;
    const int32_t last = t.first_position + t.num_tokens - 1;
    if (last < t.begin || t.num_tokens == 1) return;
    check_kv_poison_value(kv, t.pages[last / 32], t.kv_head, last % 32);
    const float *together = t.partials;
    t.partials = check_floats((size_t)(t.num_tokens * t.num_heads) * t.partial_stride);
    kernel(&t);
    for (int32_t m = 0; m < (t.num_tokens - 1) * t.num_heads; m++)
        check_same_bits(t.partials + (size_t)m * t.partial_stride, together + (size_t)m * t.partial_stride,
                        (size_t)kv->head_size, "row before a NaN");
}

static void (*tile_kernel(const check_case *c, ck_kv_type type))(const ck_attention_tile *)
{
    switch (type) {
    case CK_KV_F32: return c->kernels->attention_tile_f32;
    case CK_KV_F16: return c->kernels->attention_tile_f16;
    case CK_KV_BF16: return c->kernels->attention_tile_bf16;
    case CK_KV_I8: return c->kernels->attention_tile_i8;
    }
    return NULL;
}

static void check_one_tile(const check_case *c, ck_kv_type type, const tile_shape *s)
{
    const int32_t rows = s->num_tokens * s->num_heads, end = s->first_position + s->num_tokens;
    const int32_t oldest =
        s->window > 0 && s->first_position >= s->window ? s->first_position - s->window + 1 : 0;
    const ck_kv kv = make_cache(type, s, oldest, end);
    void (*kernel)(const ck_attention_tile *) = tile_kernel(c, type);
    ck_attention_tile t = {
        .kv = &kv,
        .pages = kv.page_table,
        .kv_head = s->num_kv_heads - 1,
        .num_tokens = s->num_tokens,
        .num_heads = s->num_heads,
        .first_position = s->first_position,
        .window = s->window,
        .mask_stride = (size_t)end,
        .partial_stride = (size_t)ck_kv_value_stride(s->head_size) + CK_PARTIAL_EXTRA,
    };
    t.q = check_random((size_t)rows * (size_t)s->head_size);
    check_make_read_only(t.q);
    if (s->masked) {
        uint8_t *mask = check_bytes((size_t)s->num_tokens * (size_t)end, 1);
        for (int32_t i = 0; i < s->num_tokens * end; i++) mask[i] = check_below(3) > 0;
        memset(mask, 0, (size_t)end); // the first token sees nothing
        check_make_read_only(mask);
        t.mask = mask;
    }
    t.scores = check_floats((size_t)rows * CK_ATTENTION_BLOCK);
    t.widened = check_bytes(ck_attention_widened_elements(s->head_size) * sizeof(float), 64);
    t.partials = check_floats((size_t)rows * t.partial_stride);
    for (t.begin = 0; t.begin < end; t.begin += CK_ATTENTION_SPLIT) {
        t.end = t.begin + CK_ATTENTION_SPLIT < end ? t.begin + CK_ATTENTION_SPLIT : end;
        kernel(&t);
        for (int32_t m = 0; m < rows; m++) compare_row(&t, m);
        compare_alone(&t, kernel);
        if (t.end == end) compare_without_last(t, kernel);
    }
    check_release();
}

static void check_tiles(const check_case *c, ck_kv_type type)
{
    const int32_t w = c->kernels->vector_lanes;
    const tile_shape shapes[] = {
        {1, 1, 1, 1, 0, 0, false},        {w - 1 > 0 ? w - 1 : 1, 2, 3, 1, 30, 0, false},
        {w + 1, 1, 2, 7, 31, 0, true},    {2 * w + 3, 2, 1, 14, 127, 0, false},
        {64, 2, 1, 7, 300, 0, false},     {64, 1, 4, 7, 126, 5, false},
        {48, 1, 32, 1, 100, 33, true},    {80, 3, 16, 2, 0, 0, false},
        {128, 1, 1, 32, 128, 128, false}, {16, 1, 8, 4, 508, 0, false},
        {20, 2, 5, 3, 600, 40, true},     {32, 1, 9, 1, 511, 600, false},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) check_one_tile(c, type, &shapes[i]);
    for (int32_t rows = 1; rows <= CK_ATTENTION_ROWS_MAX; rows++)
        check_one_tile(c, type, &(tile_shape){24, 1, 1, rows, 40, 0, false});
}

void check_attention_tile_f32(const check_case *c) { check_tiles(c, CK_KV_F32); }
void check_attention_tile_f16(const check_case *c) { check_tiles(c, CK_KV_F16); }
void check_attention_tile_bf16(const check_case *c) { check_tiles(c, CK_KV_BF16); }
void check_attention_tile_i8(const check_case *c) { check_tiles(c, CK_KV_I8); }
