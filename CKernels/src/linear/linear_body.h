// Micro-kernels of linear layers. Parameters: the primitives and V_TILE_* of a vec_<isa>.h.
//
// A tile is cut into blocks of R rows by P panels whose accumulators fill the registers. How it is cut never
// changes an output: each has its own accumulator, fed in ascending k.

// Far enough ahead for memory's latency at a core's share of the bandwidth, about 80 ns x 50 GB/s.
#define PREFETCH_BYTES 4096
#define LINE_BYTES 64

enum { LINEAR_F32, LINEAR_F16, LINEAR_BF16, LINEAR_BF16X };

// `ahead` is what the block asks of memory while it runs, `ahead_step` bytes further with each step: its own
// panels some way on where it is the only one to read them, else its share of the panels that come after these.
typedef struct linear_block {
    const ck_linear_tile *tile;
    int32_t first_row, first_panel;
    const char *ahead;
    size_t ahead_step;
} linear_block;

// Weights of column vector c (V_LANES outputs) at one k: the first or the second of a line that holds two.
V_INLINE v_f32 linear_weight(const int format, const int second, const int c, const char *panel, size_t stride_bytes)
{
    const char *step = panel + (size_t)(c / V_PER_PANEL) * stride_bytes;
    const int lane = c % V_PER_PANEL * V_LANES;
    if (format == LINEAR_F32) return v_load((const float *)step + lane);
    if (format == LINEAR_F16) return v_load_f16((const uint16_t *)step + (second ? CK_PANEL_COLUMNS : 0) + lane);
    const uint16_t *pairs = (const uint16_t *)step + 2 * lane;
    return second ? v_bf16_odd(pairs) : v_bf16_even(pairs);
}

V_INLINE v_f32 linear_x(const int format, const char *row, int32_t k)
{
    return v_set1(format == LINEAR_BF16X ? ck_bf16_to_f32(((const uint16_t *)row)[k]) : ((const float *)row)[k]);
}

// acc[r, c] += x[r, k] * w[k, c] for R rows and P panels. Whichever of the two needs fewer registers is held, the
// other passes by: with all accumulators live there is room for little else.
V_INLINE void linear_step(const int format, const int R, const int P, const int second, v_f32 *acc, const char *x,
                          size_t x_bytes, int32_t k, const char *panel, size_t stride_bytes)
{
    const int C = P * V_PER_PANEL;
    if (R < C) {
        v_f32 rows[V_TILE_ROWS];
#pragma clang loop unroll(full)
        for (int r = 0; r < R; r++) rows[r] = linear_x(format, x + (size_t)r * x_bytes, k + second);
#pragma clang loop unroll(full)
        for (int c = 0; c < C; c++) {
            v_f32 w = linear_weight(format, second, c, panel, stride_bytes);
#pragma clang loop unroll(full)
            for (int r = 0; r < R; r++) acc[r * C + c] = v_fma(rows[r], w, acc[r * C + c]);
        }
    } else {
        v_f32 w[V_TILE_ROWS];
#pragma clang loop unroll(full)
        for (int c = 0; c < C; c++) w[c] = linear_weight(format, second, c, panel, stride_bytes);
#pragma clang loop unroll(full)
        for (int r = 0; r < R; r++) {
            v_f32 row = linear_x(format, x + (size_t)r * x_bytes, k + second);
#pragma clang loop unroll(full)
            for (int c = 0; c < C; c++) acc[r * C + c] = v_fma(row, w[c], acc[r * C + c]);
        }
    }
}

#ifdef V_HAS_BF16_DOT
// The same for a pair of k, by the instruction that multiplies pairs.
V_INLINE void linear_step_dot(const int R, const int P, v_f32 *acc, const char *x, size_t x_bytes, int32_t k,
                              const char *panel, size_t stride_bytes)
{
    const int C = P * V_PER_PANEL;
    v_bf16_pairs w[V_ACCUMULATORS];
#pragma clang loop unroll(full)
    for (int c = 0; c < C; c++) {
        const char *step = panel + (size_t)(c / V_PER_PANEL) * stride_bytes;
        w[c] = v_load_bf16_pairs((const uint16_t *)step + 2 * (c % V_PER_PANEL * V_LANES));
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < R; r++) {
        v_bf16_pairs pair = v_set1_bf16_pair((const uint16_t *)(x + (size_t)r * x_bytes) + k);
#pragma clang loop unroll(full)
        for (int c = 0; c < C; c++) acc[r * C + c] = v_bf16_dot(acc[r * C + c], w[c], pair);
    }
}
#endif

// One cache line of each panel: one k of f32, two of the 16-bit types.
V_INLINE void linear_line(const int format, const int R, const int P, v_f32 *acc, const char *x, size_t x_bytes,
                          int32_t k, const char *panel, size_t stride_bytes)
{
#ifdef V_HAS_BF16_DOT
    if (format == LINEAR_BF16X) {
        linear_step_dot(R, P, acc, x, x_bytes, k, panel, stride_bytes);
        return;
    }
#endif
    linear_step(format, R, P, 0, acc, x, x_bytes, k, panel, stride_bytes);
    if (format == LINEAR_F32) return;
    // Both halves of a bf16 pair come from one load, but there is no register to keep it in: hiding that the address
    // is the same makes the second half load again, which costs less than spilling accumulators.
    const char *second = panel;
    __asm__("" : "+r"(second));
    linear_step(format, R, P, 1, acc, x, x_bytes, k, second, stride_bytes);
}

// The k loop, two lines a turn: with few rows, counting would be a fifth of the instructions. Weights are asked for
// ahead, a line per panel and line at most.
V_INLINE void linear_sum(const int format, const int R, const int P, v_f32 *acc, linear_block block, const char *x,
                         const char *panel)
{
    const ck_linear_tile *t = block.tile;
    const char *ahead = block.ahead;
    const int line_depth = format == LINEAR_F32 ? 1 : 2;
    const size_t x_bytes = t->x_stride * (format == LINEAR_BF16X ? 2 : 4), stride = t->panel_stride_bytes;
    const int32_t depth = format == LINEAR_BF16X ? t->depth + (t->depth & 1) : t->depth;
    int32_t k = 0;
    for (; k + 2 * line_depth <= depth; k += 2 * line_depth, panel += 2 * LINE_BYTES, ahead += 2 * block.ahead_step) {
#pragma clang loop unroll(full)
        for (int p = 0; p < P; p++) __builtin_prefetch(ahead + (size_t)p * stride, 0, 3);
        linear_line(format, R, P, acc, x, x_bytes, k, panel, stride);
#pragma clang loop unroll(full)
        for (int p = 0; p < P; p++) __builtin_prefetch(ahead + block.ahead_step + (size_t)p * stride, 0, 3);
        linear_line(format, R, P, acc, x, x_bytes, k + line_depth, panel + LINE_BYTES, stride);
    }
    for (; k + line_depth <= depth; k += line_depth, panel += LINE_BYTES)
        linear_line(format, R, P, acc, x, x_bytes, k, panel, stride);
    if (k < depth) linear_step(format, R, P, 0, acc, x, x_bytes, k, panel, stride);
}

V_INLINE void linear_run_block(const int format, const int R, const int P, linear_block block)
{
    if (R * P * V_PER_PANEL > V_ACCUMULATORS) return;  // never asked for: keeps such code from being made
    const ck_linear_tile *t = block.tile;
    const char *x = (const char *)t->x + (size_t)block.first_row * t->x_stride * (format == LINEAR_BF16X ? 2 : 4);
    const char *panel = (const char *)t->panels + (size_t)block.first_panel * t->panel_stride_bytes;
    v_f32 acc[V_ACCUMULATORS];
#pragma clang loop unroll(full)
    for (int i = 0; i < R * P * V_PER_PANEL; i++) acc[i] = v_zero();
    linear_sum(format, R, P, acc, block, x, panel);

    float *out = t->out + (size_t)block.first_row * t->out_stride + (size_t)block.first_panel * CK_PANEL_COLUMNS;
#pragma clang loop unroll(full)
    for (int r = 0; r < R; r++) {
#pragma clang loop unroll(full)
        for (int c = 0; c < P * V_PER_PANEL; c++)
            v_store(out + (size_t)r * t->out_stride + c * V_LANES, acc[r * P * V_PER_PANEL + c]);
    }
}

// Only the blocks that rows_max lets be asked for are made.
#define ROWS(n) \
    case n: \
        if (n <= rows_max) linear_run_block(format, n, P, block); \
        break;

V_INLINE void linear_run_rows(const int format, const int P, const int rows_max, int32_t rows, linear_block block)
{
    switch (rows) {
        ROWS(1) ROWS(2) ROWS(3) ROWS(4) ROWS(5) ROWS(6)
#if V_TILE_ROWS > 6
        ROWS(7) ROWS(8) ROWS(9) ROWS(10) ROWS(11) ROWS(12)
#endif
    }
}
#undef ROWS

// All rows against panels first...last, P at a time: the panels stay in cache while row blocks pass over them. If
// only the first block asked memory for more, memory would rest while the others run: each asks for its part of the
// next panels, so that reading and arithmetic overlap throughout.
V_INLINE void linear_run_panels(const int format, const int P, const int rows_max, const ck_linear_tile *t,
                                int32_t first, int32_t last)
{
    const int32_t blocks = (t->num_rows + rows_max - 1) / rows_max;
    const size_t stride = t->panel_stride_bytes;
    for (int32_t panel = first; panel + P <= last; panel += P) {
        const char *start = (const char *)t->panels + (size_t)panel * stride;
        for (int32_t b = 0; b < blocks; b++) {
            int32_t row = t->num_rows * b / blocks, end = t->num_rows * (b + 1) / blocks;
            linear_block block = {t, row, panel, start + PREFETCH_BYTES, LINE_BYTES};
            if (blocks > 1) {
                block.ahead = start + P * stride + stride / (size_t)blocks * (size_t)b;
                block.ahead_step = LINE_BYTES / (size_t)blocks;
            }
            linear_run_rows(format, P, rows_max, end - row, block);
        }
    }
}

V_INLINE void linear_tile(const int format, const ck_linear_tile *t)
{
    int32_t whole;
    if (t->num_rows == 1) {
        whole = t->num_panels - t->num_panels % V_TILE_SINGLE_PANELS;
        linear_run_panels(format, V_TILE_SINGLE_PANELS, 1, t, 0, whole);
    } else if (t->num_rows <= V_TILE_NARROW_ROWS) {
        whole = t->num_panels - t->num_panels % V_TILE_NARROW_PANELS;
        linear_run_panels(format, V_TILE_NARROW_PANELS, V_TILE_NARROW_ROWS, t, 0, whole);
    } else {
        whole = t->num_panels - t->num_panels % V_TILE_PANELS;
        linear_run_panels(format, V_TILE_PANELS, V_TILE_ROWS, t, 0, whole);
    }
    if (whole < t->num_panels) linear_run_panels(format, 1, V_TILE_ROWS, t, whole, t->num_panels);
}

static void CK_ISA_FN(linear_tile_f32)(const ck_linear_tile *tile) { linear_tile(LINEAR_F32, tile); }
static void CK_ISA_FN(linear_tile_f16)(const ck_linear_tile *tile) { linear_tile(LINEAR_F16, tile); }
static void CK_ISA_FN(linear_tile_bf16)(const ck_linear_tile *tile) { linear_tile(LINEAR_BF16, tile); }
static void CK_ISA_FN(linear_tile_bf16_bf16x)(const ck_linear_tile *tile) { linear_tile(LINEAR_BF16X, tile); }

static void CK_ISA_FN(bf16_round_row)(uint16_t *out, const float *x, int32_t count)
{
    for (int32_t i = 0; i < count; i++) out[i] = ck_f32_to_bf16(x[i]);
}

V_INLINE void epilogue_swiglu(const ck_epilogue_tile *t)
{
    for (int32_t i = 0; i < t->count; i += V_LANES) {
        // Outputs 16j...16j + 15 have their gate at 32j and their up at 32j + 16.
        const int32_t at = i / CK_PANEL_COLUMNS * (2 * CK_PANEL_COLUMNS) + i % CK_PANEL_COLUMNS;
        const v_f32 gate_bias = t->bias ? v_load(t->bias + at) : v_zero();
        const v_f32 up_bias = t->bias ? v_load(t->bias + at + CK_PANEL_COLUMNS) : v_zero();
        for (int32_t r = 0; r < t->num_rows; r++) {
            const float *product = t->product + (size_t)r * t->product_stride + at;
            const v_f32 gate = v_add(v_load(product), gate_bias);
            const v_f32 up = v_add(v_load(product + CK_PANEL_COLUMNS), up_bias);
            const v_f32 silu = v_div(gate, v_add(v_set1(1.0f), v_exp(v_sub(v_zero(), gate))));
            v_store_tail(t->out + (size_t)r * t->out_stride + i, v_mul(silu, up), t->count - i);
        }
    }
}

V_INLINE void epilogue_add(const ck_epilogue_tile *t)
{
    for (int32_t i = 0; i < t->count; i += V_LANES) {
        const int32_t left = t->count - i;
        const v_f32 bias = t->bias ? v_load_tail(t->bias + i, left) : v_zero();
        for (int32_t r = 0; r < t->num_rows; r++) {
            float *out = t->out + (size_t)r * t->out_stride + i;
            v_f32 y = v_load_tail(t->product + (size_t)r * t->product_stride + i, left);
            // Never + 0: it changes -0, and a product stored in place goes without.
            if (t->bias) y = v_add(y, bias);
            if (t->epilogue == CK_EPILOGUE_ADD) y = v_add(v_load_tail(out, left), y);
            v_store_tail(out, y, left);
        }
    }
}

static void CK_ISA_FN(linear_epilogue_tile)(const ck_epilogue_tile *tile)
{
    if (tile->epilogue == CK_EPILOGUE_SWIGLU) epilogue_swiglu(tile);
    else epilogue_add(tile);
}
