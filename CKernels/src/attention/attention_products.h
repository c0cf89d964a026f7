// Products of attention, over elements of every ck_kv_type. Parameters: the primitives of a vec_<isa>.h and
// V_ACCUMULATORS.
//
// Scores are a product of query rows with pages of keys, outputs a product of weights with pages of values.
// Both run in blocks of R rows by C vectors whose accumulators fill the registers; how rows are cut into
// blocks never changes an element, which has its own accumulator and a fixed order of additions.

#define ATTENTION_PAGE_VECTORS (CK_KV_PAGE / V_LANES)
#define ATTENTION_ROWS (V_ACCUMULATORS / ATTENTION_PAGE_VECTORS)

// Up to so many rows widen elements in registers, more into work space first: that it pays there to widen once, and
// code for every number of rows and type is minutes of compiling.
#define ATTENTION_DIRECT_ROWS (ATTENTION_ROWS < 8 ? ATTENTION_ROWS : 8)

enum { ATTENTION_BLOCK_PAGES = CK_ATTENTION_BLOCK / CK_KV_PAGE };

// The pages of one block that some row of the tile sees, and positions there.
typedef struct attention_block {
    int32_t first;  // position of the block, a multiple of CK_ATTENTION_BLOCK
    int32_t begin, end;
} attention_block;

// One page of keys: CK_KV_PAGE elements for each of `depth`, and what is asked of memory meanwhile.
typedef struct attention_keys {
    const char *page, *next;
    size_t depth;
} attention_keys;

// The values of a block from one column on: its pages, row_bytes from one position to the next.
typedef struct attention_columns {
    const char *pages[ATTENTION_BLOCK_PAGES];
    size_t row_bytes;
} attention_columns;

// Sums of some rows: weights [rows, CK_ATTENTION_BLOCK], out [rows, out_stride], decay [rows].
typedef struct attention_sums {
    const float *weights, *decay;
    float *out;
    size_t out_stride;
} attention_sums;

// Vector c of the elements at p.
V_INLINE v_f32 attention_load(const ck_kv_type type, const char *p, const int c)
{
    p += (size_t)(c * V_LANES) * ck_kv_element_bytes(type);
    switch (type) {
    case CK_KV_F16: return v_load_f16((const uint16_t *)p);
    case CK_KV_BF16: return v_load_bf16((const uint16_t *)p);
    case CK_KV_I8: return v_load_i8((const int8_t *)p);
    default: return v_load((const float *)p);
    }
}

// Asks for the lines of a row of CK_KV_PAGE elements.
V_INLINE void attention_ask(const ck_kv_type type, const char *row)
{
    __builtin_prefetch(row, 0, 3);
    if (type == CK_KV_F32) __builtin_prefetch(row + 64, 0, 3);
}

// acc[r, c] += x[r] * vector[c]. The smaller side is held in registers, the other passes by.
V_INLINE void attention_step(const ck_kv_type type, const int R, const int C, v_f32 *acc, const float *x,
                             size_t x_stride, const char *vectors)
{
    if (R < C) {
        v_f32 rows[V_ACCUMULATORS];
#pragma clang loop unroll(full)
        for (int r = 0; r < R; r++) rows[r] = v_set1(x[(size_t)r * x_stride]);
#pragma clang loop unroll(full)
        for (int c = 0; c < C; c++) {
            const v_f32 vector = attention_load(type, vectors, c);
#pragma clang loop unroll(full)
            for (int r = 0; r < R; r++) acc[r * C + c] = v_fma(rows[r], vector, acc[r * C + c]);
        }
    } else {
        v_f32 held[V_ACCUMULATORS];
#pragma clang loop unroll(full)
        for (int c = 0; c < C; c++) held[c] = attention_load(type, vectors, c);
#pragma clang loop unroll(full)
        for (int r = 0; r < R; r++) {
            const v_f32 row = v_set1(x[(size_t)r * x_stride]);
#pragma clang loop unroll(full)
            for (int c = 0; c < C; c++) acc[r * C + c] = v_fma(row, held[c], acc[r * C + c]);
        }
    }
}

// Scores of R rows with one page of keys.
V_INLINE void attention_scores(const ck_kv_type type, const int R, const float *q, attention_keys keys, float *scores)
{
    const int C = ATTENTION_PAGE_VECTORS;
    const size_t row_bytes = CK_KV_PAGE * ck_kv_element_bytes(type);
    if (R * C > V_ACCUMULATORS) return;  // never asked for: keeps such code from being made
    v_f32 acc[V_ACCUMULATORS];
#pragma clang loop unroll(full)
    for (int i = 0; i < R * C; i++) acc[i] = v_zero();
    for (size_t d = 0; d < keys.depth; d++) {
        attention_ask(type, keys.next + d * row_bytes);
        attention_step(type, R, C, acc, q + d, keys.depth, keys.page + d * row_bytes);
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < R; r++) {
#pragma clang loop unroll(full)
        for (int c = 0; c < C; c++) v_store(scores + r * CK_ATTENTION_BLOCK + c * V_LANES, acc[r * C + c]);
    }
}

// Sums of R rows over the keys begin...end - 1 of a block, C vectors of columns: out = out * decay + weights * values.
// A page asks for the one after it.
V_INLINE void attention_values(const ck_kv_type type, const int R, const int C, const attention_columns *columns,
                               attention_block block, attention_sums sums)
{
    if (R * C > V_ACCUMULATORS) return;  // never asked for
    v_f32 acc[V_ACCUMULATORS];
#pragma clang loop unroll(full)
    for (int r = 0; r < R; r++) {
#pragma clang loop unroll(full)
        for (int c = 0; c < C; c++)
            acc[r * C + c] = v_mul(v_load(sums.out + (size_t)r * sums.out_stride + c * V_LANES), v_set1(sums.decay[r]));
    }
    const int32_t last = (block.end - 1 - block.first) / CK_KV_PAGE;
    for (int32_t page = (block.begin - block.first) / CK_KV_PAGE; page <= last; page++) {
        const int32_t start = block.first + page * CK_KV_PAGE;
        const size_t begin = (size_t)(block.begin > start ? block.begin - start : 0);
        const size_t count = (size_t)(block.end < start + CK_KV_PAGE ? block.end - start : CK_KV_PAGE) - begin;
        const char *values = columns->pages[page] + begin * columns->row_bytes;
        const char *next = columns->pages[page < last ? page + 1 : page];
        const float *weights = sums.weights + (size_t)(page * CK_KV_PAGE) + begin;
        for (size_t key = 0; key < count; key++, values += columns->row_bytes, next += columns->row_bytes) {
            attention_ask(type, next);
            attention_step(type, R, C, acc, weights + key, CK_ATTENTION_BLOCK, values);
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < R; r++) {
#pragma clang loop unroll(full)
        for (int c = 0; c < C; c++)
            v_store(sums.out + (size_t)r * sums.out_stride + c * V_LANES, acc[r * C + c]);
    }
}

#if V_LANES == 16
#define ATTENTION_EACH_ROWS(CASE) \
    CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12)
#else
#define ATTENTION_EACH_ROWS(CASE) CASE(1) CASE(2) CASE(3)
#endif

V_INLINE void attention_scores_rows(const ck_kv_type type, int32_t rows, const float *q, attention_keys keys,
                                    float *scores)
{
    switch (rows) {
#define CASE(n) \
    case n: \
        if (type == CK_KV_F32 || n <= ATTENTION_DIRECT_ROWS) attention_scores(type, n, q, keys, scores); \
        break;
        ATTENTION_EACH_ROWS(CASE)
#undef CASE
    }
}

// One row alone may ask for two pages' widths of columns, so that enough sums are under way; floats for half a width.
V_INLINE void attention_values_rows(const ck_kv_type type, int32_t rows, int32_t width,
                                    const attention_columns *columns, attention_block block, attention_sums sums)
{
    if (width == 2 * CK_KV_PAGE) {
        attention_values(type, 1, 2 * ATTENTION_PAGE_VECTORS, columns, block, sums);
        return;
    }
    switch (width == CK_KV_PAGE ? rows : -rows) {
#define CASE(n) \
    case n: \
        if (type == CK_KV_F32 || n <= ATTENTION_DIRECT_ROWS) \
            attention_values(type, n, ATTENTION_PAGE_VECTORS, columns, block, sums); \
        break; \
    case -n: \
        if (type == CK_KV_F32) attention_values(type, n, ATTENTION_PAGE_VECTORS / 2, columns, block, sums); \
        break;
        ATTENTION_EACH_ROWS(CASE)
#undef CASE
    }
}

// A function for each type, made once: what it is inlined into would repeat all of its cases.
#define ATTENTION_FUNCTIONS(suffix, type) \
    static __attribute__((noinline)) void attention_scores_##suffix(int32_t rows, const float *q, attention_keys keys, \
                                                                    float *scores) \
    { \
        attention_scores_rows(type, rows, q, keys, scores); \
    } \
    static __attribute__((noinline)) void attention_values_##suffix( \
        int32_t rows, int32_t width, const attention_columns *columns, attention_block block, attention_sums sums) \
    { \
        attention_values_rows(type, rows, width, columns, block, sums); \
    }
ATTENTION_FUNCTIONS(f32, CK_KV_F32)
ATTENTION_FUNCTIONS(f16, CK_KV_F16)
ATTENTION_FUNCTIONS(bf16, CK_KV_BF16)
ATTENTION_FUNCTIONS(i8, CK_KV_I8)
#undef ATTENTION_FUNCTIONS

V_INLINE void attention_scores_of(const ck_kv_type type, int32_t rows, const float *q, attention_keys keys,
                                  float *scores)
{
    switch (type) {
    case CK_KV_F32: attention_scores_f32(rows, q, keys, scores); break;
    case CK_KV_F16: attention_scores_f16(rows, q, keys, scores); break;
    case CK_KV_BF16: attention_scores_bf16(rows, q, keys, scores); break;
    case CK_KV_I8: attention_scores_i8(rows, q, keys, scores); break;
    }
}

V_INLINE void attention_values_of(const ck_kv_type type, int32_t rows, int32_t width, const attention_columns *columns,
                                  attention_block block, attention_sums sums)
{
    switch (type) {
    case CK_KV_F32: attention_values_f32(rows, width, columns, block, sums); break;
    case CK_KV_F16: attention_values_f16(rows, width, columns, block, sums); break;
    case CK_KV_BF16: attention_values_bf16(rows, width, columns, block, sums); break;
    case CK_KV_I8: attention_values_i8(rows, width, columns, block, sums); break;
    }
}
