// Micro-kernels of attention. Parameters: the primitives of a vec_<isa>.h and V_ACCUMULATORS.
//
// Scores are a product of query rows with pages of keys, outputs a product of weights with pages of values.
// Both run in blocks of R rows by C vectors whose accumulators fill the registers; how rows are cut into
// blocks never changes an element, which has its own accumulator and a fixed order of additions.

#define ATTENTION_PAGE_VECTORS (CK_KV_PAGE / V_LANES)
#define ATTENTION_ROWS (V_ACCUMULATORS / ATTENTION_PAGE_VECTORS)

// The pages of one block that some row of the tile sees, and positions there.
typedef struct attention_block {
    int32_t first;  // position of the block, a multiple of CK_ATTENTION_BLOCK
    int32_t begin, end;
} attention_block;

// acc[r, c] += x[r] * vector[c]. The smaller side is held in registers, the other passes by.
V_INLINE void attention_step(const int R, const int C, v_f32 *acc, const float *x, size_t x_stride,
                             const float *vectors)
{
    if (R < C) {
        v_f32 rows[V_ACCUMULATORS];
#pragma clang loop unroll(full)
        for (int r = 0; r < R; r++) rows[r] = v_set1(x[(size_t)r * x_stride]);
#pragma clang loop unroll(full)
        for (int c = 0; c < C; c++) {
            const v_f32 vector = v_load(vectors + c * V_LANES);
#pragma clang loop unroll(full)
            for (int r = 0; r < R; r++) acc[r * C + c] = v_fma(rows[r], vector, acc[r * C + c]);
        }
    } else {
        v_f32 held[V_ACCUMULATORS];
#pragma clang loop unroll(full)
        for (int c = 0; c < C; c++) held[c] = v_load(vectors + c * V_LANES);
#pragma clang loop unroll(full)
        for (int r = 0; r < R; r++) {
            const v_f32 row = v_set1(x[(size_t)r * x_stride]);
#pragma clang loop unroll(full)
            for (int c = 0; c < C; c++) acc[r * C + c] = v_fma(row, held[c], acc[r * C + c]);
        }
    }
}

// Scores of R rows with one page of keys. The page after it is asked for ahead.
V_INLINE void attention_scores(const int R, const float *q, size_t depth, const float *keys, const float *next,
                               float *scores)
{
    const int C = ATTENTION_PAGE_VECTORS;
    if (R * C > V_ACCUMULATORS) return;  // never asked for: keeps such code from being made
    v_f32 acc[V_ACCUMULATORS];
#pragma clang loop unroll(full)
    for (int i = 0; i < R * C; i++) acc[i] = v_zero();
    for (size_t d = 0; d < depth; d++) {
        __builtin_prefetch(next + d * CK_KV_PAGE, 0, 3);
        __builtin_prefetch(next + d * CK_KV_PAGE + 16, 0, 3);
        attention_step(R, C, acc, q + d, depth, keys + d * CK_KV_PAGE);
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < R; r++) {
#pragma clang loop unroll(full)
        for (int c = 0; c < C; c++) v_store(scores + r * CK_ATTENTION_BLOCK + c * V_LANES, acc[r * C + c]);
    }
}

V_INLINE const float *attention_values_page(const ck_attention_tile *t, int32_t page, int32_t column)
{
    return ck_value_page(t->kv, t->pages[page], t->kv_head) + column;
}

// Sums of R rows over the keys begin...end - 1 of a block, C vectors of columns: acc = acc * decay + weights
// * values.
V_INLINE void attention_values(const int R, const int C, const ck_attention_tile *t, attention_block block,
                               int32_t row, int32_t column, const float *decay)
{
    if (R * C > V_ACCUMULATORS) return;  // never asked for
    const size_t value_stride = (size_t)ck_value_stride(t->kv->head_size);
    float *out = t->partials + (size_t)row * t->partial_stride + column;
    const float *weights = t->scores + (size_t)row * CK_ATTENTION_BLOCK;
    v_f32 acc[V_ACCUMULATORS];
#pragma clang loop unroll(full)
    for (int r = 0; r < R; r++) {
#pragma clang loop unroll(full)
        for (int c = 0; c < C; c++)
            acc[r * C + c] = v_mul(v_load(out + (size_t)r * t->partial_stride + c * V_LANES), v_set1(decay[row + r]));
    }
    const int32_t last_page = (block.end - 1) / CK_KV_PAGE;
    for (int32_t page = block.begin / CK_KV_PAGE; page <= last_page; page++) {
        const int32_t start = page * CK_KV_PAGE;
        const size_t begin = (size_t)(block.begin > start ? block.begin - start : 0);
        const size_t count = (size_t)(block.end < start + CK_KV_PAGE ? block.end - start : CK_KV_PAGE) - begin;
        const float *values = attention_values_page(t, page, column) + begin * value_stride;
        const float *next = attention_values_page(t, page < last_page ? page + 1 : page, column);
        const float *page_weights = weights + (size_t)(start - block.first) + begin;
        for (size_t key = 0; key < count; key++, values += value_stride, next += value_stride) {
            __builtin_prefetch(next, 0, 3);
            __builtin_prefetch(next + 16, 0, 3);
            attention_step(R, C, acc, page_weights + key, CK_ATTENTION_BLOCK, values);
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < R; r++) {
#pragma clang loop unroll(full)
        for (int c = 0; c < C; c++)
            v_store(out + (size_t)r * t->partial_stride + c * V_LANES, acc[r * C + c]);
    }
}

#if V_LANES == 16
#define ATTENTION_EACH_ROWS(CASE) \
    CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12)
#else
#define ATTENTION_EACH_ROWS(CASE) CASE(1) CASE(2) CASE(3)
#endif

V_INLINE void attention_scores_rows(int32_t rows, const float *q, size_t depth, const float *keys, const float *next,
                                    float *scores)
{
    switch (rows) {
#define CASE(n) \
    case n: attention_scores(n, q, depth, keys, next, scores); break;
        ATTENTION_EACH_ROWS(CASE)
#undef CASE
    }
}

V_INLINE void attention_values_rows(const int C, int32_t rows, const ck_attention_tile *t, attention_block block,
                                    int32_t row, int32_t column, const float *decay)
{
    switch (rows) {
#define CASE(n) \
    case n: attention_values(n, C, t, block, row, column, decay); break;
        ATTENTION_EACH_ROWS(CASE)
#undef CASE
    }
}

// Scores of all rows with the pages of a block.
V_INLINE void attention_score_block(const ck_attention_tile *t, attention_block block)
{
    const int32_t rows = t->num_tokens * t->num_heads, blocks = (rows + ATTENTION_ROWS - 1) / ATTENTION_ROWS;
    const size_t depth = (size_t)t->kv->head_size;
    const int32_t last_page = (block.end - 1) / CK_KV_PAGE;
    for (int32_t page = block.begin / CK_KV_PAGE; page <= last_page; page++) {
        const float *keys = ck_key_page(t->kv, t->pages[page], t->kv_head);
        const float *next = page < last_page ? ck_key_page(t->kv, t->pages[page + 1], t->kv_head)
                                             : ck_value_page(t->kv, t->pages[block.begin / CK_KV_PAGE], t->kv_head);
        float *scores = t->scores + (page * CK_KV_PAGE - block.first);
        for (int32_t b = 0; b < blocks; b++) {
            const int32_t row = rows * b / blocks, end = rows * (b + 1) / blocks;
            attention_scores_rows(end - row, t->q + (size_t)row * depth, depth, keys, next,
                                  scores + (size_t)row * CK_ATTENTION_BLOCK);
        }
    }
}

// Sums of rows first...first + rows - 1, which see the same keys of the block.
V_INLINE void attention_value_block(const ck_attention_tile *t, attention_block block, int32_t first, int32_t rows,
                                    const float *decay)
{
    const int32_t columns = ck_value_stride(t->kv->head_size), blocks = (rows + ATTENTION_ROWS - 1) / ATTENTION_ROWS;
    int32_t column = 0;
#if V_ACCUMULATORS >= 2 * (32 / V_LANES)
    // One row alone: twice the columns, so that enough sums are under way.
    for (; rows == 1 && column + 2 * CK_KV_PAGE <= columns; column += 2 * CK_KV_PAGE)
        attention_values(1, 2 * ATTENTION_PAGE_VECTORS, t, block, first, column, decay);
#endif
    for (; column < columns; column += CK_KV_PAGE) {
        for (int32_t b = 0; b < blocks; b++) {
            const int32_t row = first + rows * b / blocks, end = first + rows * (b + 1) / blocks;
            if (columns - column >= CK_KV_PAGE)
                attention_values_rows(ATTENTION_PAGE_VECTORS, end - row, t, block, row, column, decay);
            else attention_values_rows(ATTENTION_PAGE_VECTORS / 2, end - row, t, block, row, column, decay);
        }
    }
}

// Hides the scores of one row that it does not see: outside begin...end - 1, within its pages, and by the
// mask.
V_INLINE void attention_hide(float *scores, attention_block seen, const uint8_t *mask)
{
    const float hidden = -__builtin_inff();
    for (int32_t j = seen.begin / CK_KV_PAGE * CK_KV_PAGE; j < seen.begin; j++) scores[j - seen.first] = hidden;
    for (int32_t j = seen.end; j % CK_KV_PAGE != 0; j++) scores[j - seen.first] = hidden;
    if (!mask) return;
    for (int32_t j = seen.begin; j < seen.end; j++)
        if (!mask[j]) scores[j - seen.first] = hidden;
}

// Turns scores of whole pages into weights exp(score - maximum), with the running maximum and sum of the
// record `softmax`. Returns what sums under the old maximum are to be multiplied by.
V_INLINE float attention_softmax(float *scores, int32_t count, float *softmax)
{
    v_f32 lanes[ATTENTION_PAGE_VECTORS];
#pragma clang loop unroll(full)
    for (int i = 0; i < ATTENTION_PAGE_VECTORS; i++) lanes[i] = v_set1(softmax[CK_PARTIAL_MAXIMUM]);
    for (int32_t j = 0; j < count; j += CK_KV_PAGE) {
#pragma clang loop unroll(full)
        for (int i = 0; i < ATTENTION_PAGE_VECTORS; i++) lanes[i] = v_max(lanes[i], v_load(scores + j + i * V_LANES));
    }
#pragma clang loop unroll(full)
    for (int i = 1; i < ATTENTION_PAGE_VECTORS; i++) lanes[0] = v_max(lanes[0], lanes[i]);
    const float maximum = v_reduce_max(lanes[0]);
    // Nothing visible so far: any finite maximum gives weights of zero.
    const float base = maximum == -__builtin_inff() ? 0.0f : maximum;
    const float decay = v_reduce_max(v_exp_nonpositive(v_set1(softmax[CK_PARTIAL_MAXIMUM] - base)));

    v_f32 sums[ATTENTION_PAGE_VECTORS];
#pragma clang loop unroll(full)
    for (int i = 0; i < ATTENTION_PAGE_VECTORS; i++) sums[i] = v_zero();
    for (int32_t j = 0; j < count; j += CK_KV_PAGE) {
#pragma clang loop unroll(full)
        for (int i = 0; i < ATTENTION_PAGE_VECTORS; i++) {
            const v_f32 weight = v_exp_nonpositive(v_sub(v_load(scores + j + i * V_LANES), v_set1(base)));
            v_store(scores + j + i * V_LANES, weight);
            sums[i] = v_add(sums[i], weight);
        }
    }
#pragma clang loop unroll(full)
    for (int i = 1; i < ATTENTION_PAGE_VECTORS; i++) sums[0] = v_add(sums[0], sums[i]);
    softmax[CK_PARTIAL_MAXIMUM] = maximum;
    softmax[CK_PARTIAL_SUM] = softmax[CK_PARTIAL_SUM] * decay + v_reduce_add(sums[0]);
    return decay;
}

// What token i sees of a block.
V_INLINE attention_block attention_seen(const ck_attention_tile *t, int32_t token, attention_block block)
{
    const int32_t position = t->first_position + token;
    const int32_t low = t->window > 0 && position >= t->window ? position - t->window + 1 : 0;
    if (block.begin < low) block.begin = low;
    if (block.end > position + 1) block.end = position + 1;
    return block;
}

V_INLINE void attention_run_block(const ck_attention_tile *t, attention_block block)
{
    const int32_t last = t->num_tokens - 1, value_stride = ck_value_stride(t->kv->head_size);
    const attention_block oldest = attention_seen(t, 0, block), newest = attention_seen(t, last, block);
    // The first token sees the lowest positions, the last one the highest.
    const attention_block all = {block.first, oldest.begin, newest.end};
    if (all.begin >= all.end) return;
    attention_score_block(t, all);

    float decay[CK_ATTENTION_ROWS_MAX];
    const int alike = oldest.begin == newest.begin && oldest.end == newest.end;
    for (int32_t token = 0; token <= last; token++) {
        const attention_block seen = attention_seen(t, token, block);
        if (seen.begin >= seen.end) continue;
        const int32_t first_page = seen.begin / CK_KV_PAGE, last_page = (seen.end - 1) / CK_KV_PAGE;
        for (int32_t h = 0; h < t->num_heads; h++) {
            const int32_t row = token * t->num_heads + h;
            float *scores = t->scores + (size_t)row * CK_ATTENTION_BLOCK;
            attention_hide(scores, seen, t->mask ? t->mask + (size_t)token * t->mask_stride : NULL);
            decay[row] = attention_softmax(scores + (first_page * CK_KV_PAGE - seen.first),
                                           (last_page - first_page + 1) * CK_KV_PAGE,
                                           t->partials + (size_t)row * t->partial_stride + value_stride);
        }
        // Where tokens see different keys, each sums over its own: a later token's values must not touch it.
        if (!alike) attention_value_block(t, seen, token * t->num_heads, t->num_heads, decay);
    }
    if (alike) attention_value_block(t, all, 0, (last + 1) * t->num_heads, decay);
}

static void CK_ISA_FN(attention_tile_f32)(const ck_attention_tile *t)
{
    const int32_t value_stride = ck_value_stride(t->kv->head_size);
    for (int32_t row = 0; row < t->num_tokens * t->num_heads; row++) {
        float *partial = t->partials + (size_t)row * t->partial_stride;
        for (int32_t i = 0; i < value_stride; i++) partial[i] = 0;
        partial[value_stride + CK_PARTIAL_MAXIMUM] = -__builtin_inff();
        partial[value_stride + CK_PARTIAL_SUM] = 0;
    }
    for (int32_t first = t->begin; first < t->end; first += CK_ATTENTION_BLOCK) {
        const int32_t end = first + CK_ATTENTION_BLOCK < t->end ? first + CK_ATTENTION_BLOCK : t->end;
        attention_run_block(t, (attention_block){first, first, end});
    }
}

static void CK_ISA_FN(attention_merge_row_f32)(float *into, const float *partial, int32_t value_stride)
{
    float *softmax = into + value_stride;
    const float *other = partial + value_stride;
    if (other[CK_PARTIAL_SUM] == 0) return;
    if (softmax[CK_PARTIAL_SUM] == 0) {
        for (int32_t i = 0; i < value_stride + 2; i++) into[i] = partial[i];
        return;
    }
    const float a = softmax[CK_PARTIAL_MAXIMUM], b = other[CK_PARTIAL_MAXIMUM], maximum = a > b ? a : b;
    const v_f32 decay = v_exp_nonpositive(v_set1(a - maximum)), share = v_exp_nonpositive(v_set1(b - maximum));
    for (int32_t i = 0; i < value_stride; i += V_LANES)
        v_store(into + i, v_fma(v_load(partial + i), share, v_mul(v_load(into + i), decay)));
    const v_f32 sum = v_mul(v_set1(softmax[CK_PARTIAL_SUM]), decay);
    softmax[CK_PARTIAL_SUM] = v_reduce_max(v_fma(v_set1(other[CK_PARTIAL_SUM]), share, sum));
    softmax[CK_PARTIAL_MAXIMUM] = maximum;
}

static void CK_ISA_FN(attention_output_row_f32)(float *out, const float *partial, int32_t count, int32_t value_stride)
{
    const float sum = partial[value_stride + CK_PARTIAL_SUM];
    for (int32_t i = 0; i < count; i += V_LANES) {
        const v_f32 y = sum == 0 ? v_zero() : v_div(v_load(partial + i), v_set1(sum));
        v_store_tail(out + i, y, count - i);
    }
}
