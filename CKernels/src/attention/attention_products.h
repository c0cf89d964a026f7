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

// What is asked of memory while something else is computed: a line each step, `step` bytes on.
typedef struct attention_stream {
    const char *at;
    size_t step;
} attention_stream;

// One page of keys: CK_KV_PAGE elements for each of `depth`. Those in their page ask for `next` as they go, row by row;
// widened ones for two streams.
typedef struct attention_keys {
    const char *page, *next;
    size_t depth;
    attention_stream ahead[2];
} attention_keys;

// The values of a block from one column on: its pages, row_bytes from one position to the next. Those in their pages
// ask for the page after the one at hand; widened ones for a stream.
typedef struct attention_columns {
    const char *pages[ATTENTION_BLOCK_PAGES];
    size_t row_bytes;
    attention_stream ahead;
} attention_columns;

// Sums of some rows: weights [rows, CK_ATTENTION_BLOCK], out [rows, out_stride], decay [rows].
typedef struct attention_sums {
    const float *weights, *decay;
    float *out;
    size_t out_stride;
} attention_sums;

// Where elements are read: of a ck_kv_type in their page, or floats in work space.
enum { ATTENTION_WIDENED = CK_KV_TYPE_COUNT };

V_INLINE size_t attention_element_bytes(const int source)
{
    return source == ATTENTION_WIDENED ? sizeof(float) : ck_kv_element_bytes((ck_kv_type)source);
}

// Vector c of the elements at p.
V_INLINE v_f32 attention_load(const int source, const char *p, const int c)
{
    p += (size_t)(c * V_LANES) * attention_element_bytes(source);
    switch (source) {
    case CK_KV_F16: return v_load_f16((const uint16_t *)p);
    case CK_KV_BF16: return v_load_bf16((const uint16_t *)p);
    case CK_KV_I8: return v_load_i8((const int8_t *)p);
    default: return v_load((const float *)p);
    }
}

// Asks for the lines of a row of CK_KV_PAGE elements.
V_INLINE void attention_ask(const int source, const char *row)
{
    __builtin_prefetch(row, 0, 3);
    if (source == CK_KV_F32) __builtin_prefetch(row + 64, 0, 3);
}

// acc[r, c] += x[r] * vector[c]. The smaller side is held in registers, the other passes by.
V_INLINE void attention_step(const int source, const int R, const int C, v_f32 *acc, const float *x,
                             size_t x_stride, const char *vectors)
{
    if (R < C) {
        v_f32 rows[V_ACCUMULATORS];
#pragma clang loop unroll(full)
        for (int r = 0; r < R; r++) rows[r] = v_set1(x[(size_t)r * x_stride]);
#pragma clang loop unroll(full)
        for (int c = 0; c < C; c++) {
            const v_f32 vector = attention_load(source, vectors, c);
#pragma clang loop unroll(full)
            for (int r = 0; r < R; r++) acc[r * C + c] = v_fma(rows[r], vector, acc[r * C + c]);
        }
    } else {
        v_f32 held[V_ACCUMULATORS];
#pragma clang loop unroll(full)
        for (int c = 0; c < C; c++) held[c] = attention_load(source, vectors, c);
#pragma clang loop unroll(full)
        for (int r = 0; r < R; r++) {
            const v_f32 row = v_set1(x[(size_t)r * x_stride]);
#pragma clang loop unroll(full)
            for (int c = 0; c < C; c++) acc[r * C + c] = v_fma(row, held[c], acc[r * C + c]);
        }
    }
}

// Scores of R rows with one page of keys.
V_INLINE void attention_scores(const int source, const int R, const float *q, attention_keys keys, float *scores)
{
    const int C = ATTENTION_PAGE_VECTORS;
    const size_t row_bytes = CK_KV_PAGE * attention_element_bytes(source);
    if (R * C > V_ACCUMULATORS) return;  // never asked for: keeps such code from being made
    v_f32 acc[V_ACCUMULATORS];
#pragma clang loop unroll(full)
    for (int i = 0; i < R * C; i++) acc[i] = v_zero();
    for (size_t d = 0; d < keys.depth; d++) {
        if (source == ATTENTION_WIDENED) {
            __builtin_prefetch(keys.ahead[0].at + d * keys.ahead[0].step, 0, 3);
            __builtin_prefetch(keys.ahead[1].at + d * keys.ahead[1].step, 0, 3);
        } else {
            attention_ask(source, keys.next + d * row_bytes);
        }
        attention_step(source, R, C, acc, q + d, keys.depth, keys.page + d * row_bytes);
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < R; r++) {
#pragma clang loop unroll(full)
        for (int c = 0; c < C; c++) v_store(scores + r * CK_ATTENTION_BLOCK + c * V_LANES, acc[r * C + c]);
    }
}

// Sums of R rows over the keys begin...end - 1 of a block, C vectors of columns: out = out * decay + weights * values.
V_INLINE void attention_values(const int source, const int R, const int C, const attention_columns *columns,
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
    const char *ahead = columns->ahead.at;
    for (int32_t page = (block.begin - block.first) / CK_KV_PAGE; page <= last; page++) {
        const int32_t start = block.first + page * CK_KV_PAGE;
        const size_t begin = (size_t)(block.begin > start ? block.begin - start : 0);
        const size_t count = (size_t)(block.end < start + CK_KV_PAGE ? block.end - start : CK_KV_PAGE) - begin;
        const char *values = columns->pages[page] + begin * columns->row_bytes;
        const char *next = columns->pages[page < last ? page + 1 : page];
        const float *weights = sums.weights + (size_t)(page * CK_KV_PAGE) + begin;
        for (size_t key = 0; key < count; key++, values += columns->row_bytes, next += columns->row_bytes) {
            if (source == ATTENTION_WIDENED) {
                __builtin_prefetch(ahead, 0, 3);
                ahead += columns->ahead.step;
            } else {
                attention_ask(source, next);
            }
            attention_step(source, R, C, acc, weights + key, CK_ATTENTION_BLOCK, values);
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

// Whether code for so many rows is made.
V_INLINE bool attention_takes_rows(const int source, const int R)
{
    return source == CK_KV_F32 || source == ATTENTION_WIDENED || R <= ATTENTION_DIRECT_ROWS;
}

V_INLINE void attention_scores_rows(const int source, int32_t rows, const float *q, attention_keys keys,
                                    float *scores)
{
    switch (rows) {
#define CASE(n) \
    case n: \
        if (attention_takes_rows(source, n)) attention_scores(source, n, q, keys, scores); \
        break;
        ATTENTION_EACH_ROWS(CASE)
#undef CASE
    }
}

// One row alone may ask for two pages' widths of columns, so that enough sums are under way; floats for half a width.
V_INLINE void attention_values_rows(const int source, int32_t rows, int32_t width,
                                    const attention_columns *columns, attention_block block, attention_sums sums)
{
    if (width == 2 * CK_KV_PAGE) {
        attention_values(source, 1, 2 * ATTENTION_PAGE_VECTORS, columns, block, sums);
        return;
    }
    switch (width == CK_KV_PAGE ? rows : -rows) {
#define CASE(n) \
    case n: \
        if (attention_takes_rows(source, n)) \
            attention_values(source, n, ATTENTION_PAGE_VECTORS, columns, block, sums); \
        break; \
    case -n: \
        if (source == CK_KV_F32 || source == ATTENTION_WIDENED) \
            attention_values(source, n, ATTENTION_PAGE_VECTORS / 2, columns, block, sums); \
        break;
        ATTENTION_EACH_ROWS(CASE)
#undef CASE
    }
}

// Widened elements are those of three types: functions of their own, made once.
static __attribute__((noinline)) void CK_ISA_FN(attention_scores_widened)(int32_t rows, const float *q,
                                                                          attention_keys keys, float *scores)
{
    attention_scores_rows(ATTENTION_WIDENED, rows, q, keys, scores);
}

static __attribute__((noinline)) void CK_ISA_FN(attention_values_widened)(int32_t rows, int32_t width,
                                                                          const attention_columns *columns,
                                                                          attention_block block, attention_sums sums)
{
    attention_values_rows(ATTENTION_WIDENED, rows, width, columns, block, sums);
}
