// Micro-kernels of attention: blocks of keys in order, a running softmax, partial results of a split.
//
// Elements of a cache that is not of floats are widened, which rounds nothing: in registers where few rows read them,
// into work space first where more do. Which of the two it is changes no bit.

// Rows of CK_KV_PAGE elements, or of half as many, as rows of CK_KV_PAGE floats. Asks for nothing: products take longer
// to pass by than lines to come.
V_INLINE void attention_widen(const ck_kv_type type, float *out, const char *rows, int32_t count, size_t row_bytes,
                              int32_t width)
{
    for (int32_t i = 0; i < count; i++, out += CK_KV_PAGE, rows += row_bytes) {
#pragma clang loop unroll(full)
        for (int c = 0; c < ATTENTION_PAGE_VECTORS; c++)
            if (c * V_LANES < width) v_store(out + c * V_LANES, attention_load(type, rows, c));
    }
}

// Scores of all rows with the pages of a block, without their scales.
V_INLINE void attention_score_block(const ck_kv_type type, const ck_attention_tile *t, attention_block block)
{
    const int32_t rows = t->num_tokens * t->num_heads, blocks = (rows + ATTENTION_ROWS - 1) / ATTENTION_ROWS;
    const size_t depth = (size_t)t->kv->head_size, skipped = ck_kv_scale_bytes(type);
    const bool widens = type != CK_KV_F32 && rows > ATTENTION_DIRECT_ROWS;
    const int32_t first_page = block.begin / CK_KV_PAGE, last_page = (block.end - 1) / CK_KV_PAGE;
    for (int32_t page = first_page; page <= last_page; page++) {
        const char *next = page < last_page ? ck_key_page(t->kv, type, t->pages[page + 1], t->kv_head)
                                            : ck_value_page(t->kv, type, t->pages[first_page], t->kv_head);
        attention_keys keys = {
            .page = ck_key_page(t->kv, type, t->pages[page], t->kv_head) + skipped,
            .next = next + skipped,
            .depth = depth,
        };
        // Each block of rows asks for its share of the next keys and of this page's values.
        const size_t key_step = ck_kv_head_bytes(type, t->kv->head_size) / (size_t)blocks / depth;
        const size_t value_step = ck_kv_head_bytes(type, ck_value_stride(t->kv->head_size)) / (size_t)blocks / depth;
        if (widens) {
            attention_widen(type, t->widened, keys.page, (int32_t)depth, CK_KV_PAGE * ck_kv_element_bytes(type),
                            CK_KV_PAGE);
            keys.page = (const char *)t->widened;
            keys.ahead[0] = (attention_stream){keys.next - skipped, key_step};
            keys.ahead[1] =
                (attention_stream){ck_value_page(t->kv, type, t->pages[page], t->kv_head), value_step};
        }
        float *scores = t->scores + (page * CK_KV_PAGE - block.first);
        for (int32_t b = 0; b < blocks; b++) {
            const int32_t row = rows * b / blocks, end = rows * (b + 1) / blocks;
            const float *q = t->q + (size_t)row * depth;
            float *out = scores + (size_t)row * CK_ATTENTION_BLOCK;
            if (!widens) {
                attention_scores_rows(type, end - row, q, keys, out);
                continue;
            }
            CK_ISA_FN(attention_scores_widened)(end - row, q, keys, out);
            keys.ahead[0].at += depth * key_step;
            keys.ahead[1].at += depth * value_step;
        }
    }
}

// The values of a block from a column on, where they are in the cache.
V_INLINE attention_columns attention_cached(const ck_kv_type type, const ck_attention_tile *t, attention_block block,
                                            int32_t column)
{
    attention_columns columns = {.row_bytes = (size_t)ck_value_stride(t->kv->head_size) * ck_kv_element_bytes(type)};
    const size_t skipped = ck_kv_scale_bytes(type) + (size_t)column * ck_kv_element_bytes(type);
    for (int32_t page = block.begin / CK_KV_PAGE; page <= (block.end - 1) / CK_KV_PAGE; page++) {
        const char *values = ck_value_page(t->kv, type, t->pages[page], t->kv_head);
        columns.pages[page - block.first / CK_KV_PAGE] = values + skipped;
    }
    return columns;
}

// The first keys of the next block: a page's worth over the positions of this one.
V_INLINE attention_stream attention_ahead(const ck_kv_type type, const ck_attention_tile *t, attention_block block)
{
    const int32_t next = block.first + CK_ATTENTION_BLOCK;
    if (next >= t->end) return (attention_stream){(const char *)t->widened, 0};
    return (attention_stream){ck_key_page(t->kv, type, t->pages[next / CK_KV_PAGE], t->kv_head),
                              ck_kv_head_bytes(type, t->kv->head_size) / CK_ATTENTION_BLOCK};
}

// The same as floats, in work space: [positions from block.first, CK_KV_PAGE], those of the block alone.
V_INLINE attention_columns attention_widened(const ck_kv_type type, const ck_attention_tile *t, attention_block block,
                                             const attention_columns *cached, int32_t width)
{
    attention_columns columns = {.row_bytes = CK_KV_PAGE * sizeof(float), .ahead = attention_ahead(type, t, block)};
    const int32_t last = (block.end - 1 - block.first) / CK_KV_PAGE;
    for (int32_t page = (block.begin - block.first) / CK_KV_PAGE; page <= last; page++) {
        float *out = t->widened + page * CK_KV_PAGE * CK_KV_PAGE;
        const int32_t start = block.first + page * CK_KV_PAGE;
        const int32_t begin = block.begin > start ? block.begin - start : 0;
        const int32_t end = block.end < start + CK_KV_PAGE ? block.end - start : CK_KV_PAGE;
        const size_t before = (size_t)begin * cached->row_bytes;
        attention_widen(type, out + begin * CK_KV_PAGE, cached->pages[page] + before, end - begin, cached->row_bytes,
                        width);
        columns.pages[page] = (const char *)out;
    }
    return columns;
}

// Sums of rows first...first + rows - 1, which see the same keys of the block.
// Made once for each type: it is called in two places.
V_INLINE void attention_value_block_of(const ck_kv_type type, const ck_attention_tile *t, attention_block block,
                                    int32_t first, int32_t rows, const float *decay)
{
    const int32_t columns = ck_value_stride(t->kv->head_size), blocks = (rows + ATTENTION_ROWS - 1) / ATTENTION_ROWS;
    int32_t width = CK_KV_PAGE;
    for (int32_t column = 0; column < columns; column += width) {
        const int32_t left = columns - column;
        width = left < CK_KV_PAGE ? left : CK_KV_PAGE;
#if V_ACCUMULATORS >= 2 * (32 / V_LANES)
        if (rows == 1 && left >= 2 * CK_KV_PAGE) width = 2 * CK_KV_PAGE;
#endif
        const bool widens = type != CK_KV_F32 && (rows > ATTENTION_DIRECT_ROWS || width < CK_KV_PAGE);
        attention_columns values = attention_cached(type, t, block, column);
        if (widens) values = attention_widened(type, t, block, &values, width);
        for (int32_t b = 0; b < blocks; b++) {
            const int32_t row = first + rows * b / blocks, end = first + rows * (b + 1) / blocks;
            const attention_sums sums = {
                .weights = t->scores + (size_t)row * CK_ATTENTION_BLOCK,
                .decay = decay + row,
                .out = t->partials + (size_t)row * t->partial_stride + column,
                .out_stride = t->partial_stride,
            };
            if (widens) CK_ISA_FN(attention_values_widened)(end - row, width, &values, block, sums);
            else attention_values_rows(type, end - row, width, &values, block, sums);
        }
    }
}

#define ATTENTION_VALUE_BLOCK(suffix, type) \
    static __attribute__((noinline)) void CK_ISA_FN(attention_value_block_##suffix)( \
        const ck_attention_tile *t, attention_block block, int32_t first, int32_t rows, const float *decay) \
    { \
        attention_value_block_of(type, t, block, first, rows, decay); \
    }
ATTENTION_VALUE_BLOCK(f32, CK_KV_F32)
ATTENTION_VALUE_BLOCK(f16, CK_KV_F16)
ATTENTION_VALUE_BLOCK(bf16, CK_KV_BF16)
ATTENTION_VALUE_BLOCK(i8, CK_KV_I8)
#undef ATTENTION_VALUE_BLOCK

V_INLINE void attention_value_block(const ck_kv_type type, const ck_attention_tile *t, attention_block block,
                                    int32_t first, int32_t rows, const float *decay)
{
    switch (type) {
    case CK_KV_F32: CK_ISA_FN(attention_value_block_f32)(t, block, first, rows, decay); break;
    case CK_KV_F16: CK_ISA_FN(attention_value_block_f16)(t, block, first, rows, decay); break;
    case CK_KV_BF16: CK_ISA_FN(attention_value_block_bf16)(t, block, first, rows, decay); break;
    case CK_KV_I8: CK_ISA_FN(attention_value_block_i8)(t, block, first, rows, decay); break;
    }
}

// Multiplies one row's scores or weights by the scales of the pages' keys or values, lane by lane.
V_INLINE void attention_scale(const ck_attention_tile *t, float *row, int32_t first_page, int32_t last_page,
                              const bool keys)
{
    for (int32_t page = first_page; page <= last_page; page++, row += CK_KV_PAGE) {
        const char *scales = keys ? ck_key_page(t->kv, CK_KV_I8, t->pages[page], t->kv_head)
                                  : ck_value_page(t->kv, CK_KV_I8, t->pages[page], t->kv_head);
#pragma clang loop unroll(full)
        for (int i = 0; i < ATTENTION_PAGE_VECTORS; i++) {
            const v_f32 scale = v_load((const float *)scales + i * V_LANES);
            v_store(row + i * V_LANES, v_mul(v_load(row + i * V_LANES), scale));
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

V_INLINE void attention_run_block(const ck_kv_type type, const ck_attention_tile *t, attention_block block)
{
    const int32_t last = t->num_tokens - 1, value_stride = ck_value_stride(t->kv->head_size);
    const attention_block oldest = attention_seen(t, 0, block), newest = attention_seen(t, last, block);
    // The first token sees the lowest positions, the last one the highest.
    const attention_block all = {block.first, oldest.begin, newest.end};
    if (all.begin >= all.end) return;
    attention_score_block(type, t, all);

    float decay[CK_ATTENTION_ROWS_MAX];
    const int alike = oldest.begin == newest.begin && oldest.end == newest.end;
    for (int32_t token = 0; token <= last; token++) {
        const attention_block seen = attention_seen(t, token, block);
        if (seen.begin >= seen.end) continue;
        const int32_t first_page = seen.begin / CK_KV_PAGE, last_page = (seen.end - 1) / CK_KV_PAGE;
        for (int32_t h = 0; h < t->num_heads; h++) {
            const int32_t row = token * t->num_heads + h;
            float *scores = t->scores + (size_t)row * CK_ATTENTION_BLOCK;
            float *page_scores = scores + (first_page * CK_KV_PAGE - seen.first);
            if (type == CK_KV_I8) attention_scale(t, page_scores, first_page, last_page, true);
            attention_hide(scores, seen, t->mask ? t->mask + (size_t)token * t->mask_stride : NULL);
            decay[row] = attention_softmax(page_scores, (last_page - first_page + 1) * CK_KV_PAGE,
                                           t->partials + (size_t)row * t->partial_stride + value_stride);
            if (type == CK_KV_I8) attention_scale(t, page_scores, first_page, last_page, false);
        }
        // Where tokens see different keys, each sums over its own: a later token's values must not touch it.
        if (!alike) attention_value_block(type, t, seen, token * t->num_heads, t->num_heads, decay);
    }
    if (alike) attention_value_block(type, t, all, 0, (last + 1) * t->num_heads, decay);
}

V_INLINE void attention_tile(const ck_kv_type type, const ck_attention_tile *t)
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
        attention_run_block(type, t, (attention_block){first, first, end});
    }
}

CK_LINKAGE void CK_ISA_FN(attention_tile_f32)(const ck_attention_tile *t) { attention_tile(CK_KV_F32, t); }
CK_LINKAGE void CK_ISA_FN(attention_tile_f16)(const ck_attention_tile *t) { attention_tile(CK_KV_F16, t); }
CK_LINKAGE void CK_ISA_FN(attention_tile_bf16)(const ck_attention_tile *t) { attention_tile(CK_KV_BF16, t); }
CK_LINKAGE void CK_ISA_FN(attention_tile_i8)(const ck_attention_tile *t) { attention_tile(CK_KV_I8, t); }

CK_LINKAGE void CK_ISA_FN(attention_merge_row_f32)(float *into, const float *partial, int32_t value_stride)
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

CK_LINKAGE void CK_ISA_FN(attention_output_row_f32)(float *out, const float *partial, int32_t count,
                                                    int32_t value_stride)
{
    const float sum = partial[value_stride + CK_PARTIAL_SUM];
    for (int32_t i = 0; i < count; i += V_LANES) {
        const v_f32 y = sum == 0 ? v_zero() : v_div(v_load(partial + i), v_set1(sum));
        v_store_tail(out + i, y, count - i);
    }
}
