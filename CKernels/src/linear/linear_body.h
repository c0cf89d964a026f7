// Micro-kernels of linear layers. Parameters: the primitives and V_TILE_* of a vec_<isa>.h.
//
// A tile is cut into blocks of R rows by C column vectors, from vector O of a panel, whose accumulators fill the
// registers. How it is cut never changes an output: each has its own accumulator, fed in ascending k.

// Far enough ahead for memory's latency at a core's share of the bandwidth, about 80 ns x 50 GB/s.
#define PREFETCH_BYTES 4096
#define LINE_BYTES 64

// The float formats, with X of activations in bf16; the integer ones, with F of activations in f32.
enum {
    LINEAR_F32, LINEAR_F16, LINEAR_BF16, LINEAR_BF16X,
    LINEAR_I8, LINEAR_I4, LINEAR_I8A, LINEAR_I4A, LINEAR_I8H,
    LINEAR_I8F, LINEAR_I4F, LINEAR_I8AF, LINEAR_I4AF, LINEAR_I8HF,
};

// How a tile is cut: `panels` at a time, into blocks of at most `rows` by `vectors`.
typedef struct linear_shape {
    int32_t rows, panels, vectors;
} linear_shape;

// `ahead` is what the block asks of memory while it runs, `ahead_step` bytes further with each step: its own
// panels some way on where it is the only one to read them, for `ahead_own` bytes of each, then those that come after,
// at `ahead_next`; else its share of what comes after, and `ahead_own` is 0.
typedef struct linear_block {
    const ck_linear_tile *tile;
    int32_t first_row, first_panel;
    const char *ahead, *ahead_next;
    size_t ahead_own, ahead_step;
} linear_block;

// The k, a multiple of `turn`, from which on a block asks for what comes after its panels; -1 for never.
V_INLINE int32_t linear_asks_on_at(const linear_block *block, size_t turn_bytes, int32_t turn)
{
    return block->ahead_own ? (int32_t)(block->ahead_own / turn_bytes) * turn : -1;
}

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

// acc[r, c] += x[r, k] * w[k, c] for R rows and C column vectors. Whichever of the two needs fewer registers is
// held, the other passes by: with all accumulators live there is room for little else.
V_INLINE void linear_step(const int format, const int R, const int O, const int C, const int second, v_f32 *acc,
                          const char *x, size_t x_bytes, int32_t k, const char *panel, size_t stride_bytes)
{
    if (R < C) {
        v_f32 rows[V_TILE_ROWS];
#pragma clang loop unroll(full)
        for (int r = 0; r < R; r++) rows[r] = linear_x(format, x + (size_t)r * x_bytes, k + second);
#pragma clang loop unroll(full)
        for (int c = 0; c < C; c++) {
            v_f32 w = linear_weight(format, second, O + c, panel, stride_bytes);
#pragma clang loop unroll(full)
            for (int r = 0; r < R; r++) acc[r * C + c] = v_fma(rows[r], w, acc[r * C + c]);
        }
    } else {
        v_f32 w[V_TILE_ROWS];
#pragma clang loop unroll(full)
        for (int c = 0; c < C; c++) w[c] = linear_weight(format, second, O + c, panel, stride_bytes);
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
V_INLINE void linear_step_dot(const int R, const int O, const int C, v_f32 *acc, const char *x, size_t x_bytes,
                              int32_t k, const char *panel, size_t stride_bytes)
{
    v_bf16_pairs w[V_ACCUMULATORS];
#pragma clang loop unroll(full)
    for (int c = 0; c < C; c++) {
        const char *step = panel + (size_t)((O + c) / V_PER_PANEL) * stride_bytes;
        w[c] = v_load_bf16_pairs((const uint16_t *)step + 2 * ((O + c) % V_PER_PANEL * V_LANES));
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
V_INLINE void linear_line(const int format, const int R, const int O, const int C, v_f32 *acc, const char *x,
                          size_t x_bytes, int32_t k, const char *panel, size_t stride_bytes)
{
#ifdef V_HAS_BF16_DOT
    if (format == LINEAR_BF16X) {
        linear_step_dot(R, O, C, acc, x, x_bytes, k, panel, stride_bytes);
        return;
    }
#endif
    linear_step(format, R, O, C, 0, acc, x, x_bytes, k, panel, stride_bytes);
    if (format == LINEAR_F32) return;
    // Both halves of a bf16 pair come from one load, but there is no register to keep it in: hiding that the address
    // is the same makes the second half load again, which costs less than spilling accumulators.
    const char *second = panel;
    __asm__("" : "+r"(second));
    linear_step(format, R, O, C, 1, acc, x, x_bytes, k, second, stride_bytes);
}

// Blocks whose instructions keep their order, because a compiler's would cost registers that there are not.
#ifdef V_PINNED_BLOCKS
#include V_PINNED_BLOCKS
#endif

// The k loop, two lines a turn: with few rows, counting would be a fifth of the instructions. Weights are asked for
// ahead, a line per panel and line at most.
V_INLINE void linear_sum(const int format, const int R, const int O, const int C, v_f32 *acc, linear_block block,
                         const char *x, const char *panel)
{
    const int asks = C % V_PER_PANEL ? 1 : C / V_PER_PANEL;
    const ck_linear_tile *t = block.tile;
    const char *ahead = block.ahead;
    const int line_depth = format == LINEAR_F32 ? 1 : 2;
    const size_t x_bytes = t->x_stride * (format == LINEAR_BF16X ? 2 : 4), stride = t->panel_stride_bytes;
    const int32_t depth = format == LINEAR_BF16X ? t->depth + (t->depth & 1) : t->depth;
    int32_t k = 0;
    int32_t end = depth - depth % (2 * line_depth);
    const int32_t asks_on = linear_asks_on_at(&block, 2 * LINE_BYTES, 2 * line_depth);
#ifdef V_PINNED_BLOCKS
    if (linear_is_pinned(format, R, C)) {
        k = linear_pinned_sum(format, R, O, C, acc, block, x, panel);
        panel += k / line_depth * LINE_BYTES;
        end = INT32_MIN;  // for the compiler, which then leaves the loop out
    }
#endif
    for (; k < end; k += 2 * line_depth, panel += 2 * LINE_BYTES, ahead += 2 * block.ahead_step) {
        if (k == asks_on) ahead = block.ahead_next;
#pragma clang loop unroll(full)
        for (int p = 0; p < asks; p++) __builtin_prefetch(ahead + (size_t)p * stride, 0, 3);
        linear_line(format, R, O, C, acc, x, x_bytes, k, panel, stride);
#pragma clang loop unroll(full)
        for (int p = 0; p < asks; p++) __builtin_prefetch(ahead + block.ahead_step + (size_t)p * stride, 0, 3);
        linear_line(format, R, O, C, acc, x, x_bytes, k + line_depth, panel + LINE_BYTES, stride);
    }
    for (; k + line_depth <= depth; k += line_depth, panel += LINE_BYTES)
        linear_line(format, R, O, C, acc, x, x_bytes, k, panel, stride);
    if (k < depth) linear_step(format, R, O, C, 0, acc, x, x_bytes, k, panel, stride);
}

V_INLINE void linear_store(const int R, const int O, const int C, const v_f32 *acc, linear_block block)
{
    const size_t stride = block.tile->out_stride;
    float *out = block.tile->out + (size_t)block.first_row * stride + (size_t)block.first_panel * CK_PANEL_COLUMNS;
#pragma clang loop unroll(full)
    for (int r = 0; r < R; r++) {
#pragma clang loop unroll(full)
        for (int c = 0; c < C; c++) v_store(out + (size_t)r * stride + (O + c) * V_LANES, acc[r * C + c]);
    }
}

#include "linear_int_body.h"

V_INLINE void linear_run_block(const int format, const int R, const int O, const int C, linear_block block)
{
    // What is never asked for returns: that keeps such code from being made.
    if (R * C > (format >= LINEAR_I8 ? V_INT_ACCUMULATORS : V_ACCUMULATORS)) return;
    if (format >= LINEAR_I8F) {
        linear_int_block_f32x(format, R, C, block);
        return;
    }
    if (format >= LINEAR_I8) {
        linear_int_block(format, R, C, block);
        return;
    }
    const ck_linear_tile *t = block.tile;
    const char *x = (const char *)t->x + (size_t)block.first_row * t->x_stride * (format == LINEAR_BF16X ? 2 : 4);
    const char *panel = (const char *)t->panels + (size_t)block.first_panel * t->panel_stride_bytes;
    v_f32 acc[V_ACCUMULATORS];
#pragma clang loop unroll(full)
    for (int i = 0; i < R * C; i++) acc[i] = v_zero();
    linear_sum(format, R, O, C, acc, block, x, panel);
    linear_store(R, O, C, acc, block);
}

// Only the blocks that the shape lets be asked for are made.
#define ROWS(n) \
    case n: \
        if (n <= shape.rows) linear_run_block(format, n, O, shape.vectors, block); \
        break;

V_INLINE void linear_run_rows(const int format, const int O, const linear_shape shape, int32_t rows, linear_block block)
{
    switch (rows) {
        ROWS(1) ROWS(2) ROWS(3) ROWS(4) ROWS(5) ROWS(6)
#if V_TILE_ROWS > 6
        ROWS(7) ROWS(8) ROWS(9) ROWS(10) ROWS(11) ROWS(12)
#endif
    }
}
#undef ROWS

// All rows against panels first...last: panels stay in cache while row blocks pass over them. If only the first block
// asked memory for more, memory would rest while the others run: each asks for its part of the next panels, so that
// reading and arithmetic overlap throughout.
V_INLINE void linear_run_panels(const int format, const linear_shape shape, const ck_linear_tile *t, int32_t first,
                                int32_t last)
{
    const bool splits_panels = shape.vectors % V_PER_PANEL != 0;
    const int32_t row_blocks = (t->num_rows + shape.rows - 1) / shape.rows;
    const int32_t blocks = row_blocks * (shape.panels * V_PER_PANEL / shape.vectors);
    const size_t stride = t->panel_stride_bytes, asked = splits_panels ? (size_t)shape.panels : 1;
    const size_t line = linear_line_bytes(format);
    for (int32_t panel = first; panel + shape.panels <= last; panel += shape.panels) {
        const char *start = (const char *)t->panels + (size_t)panel * stride;
        const char *next = start + (size_t)shape.panels * stride;
        for (int32_t b = 0; b < blocks; b++) {
            const int32_t r = b % row_blocks, vector = b / row_blocks * shape.vectors;
            const int32_t row = t->num_rows * r / row_blocks, rows = t->num_rows * (r + 1) / row_blocks - row;
            const size_t distance = stride < PREFETCH_BYTES ? stride : PREFETCH_BYTES;
            linear_block block = {
                .tile = t,
                .first_row = row,
                .first_panel = panel + vector / V_PER_PANEL,
                .ahead = distance < stride ? start + distance : next,
                .ahead_own = stride - distance,
                .ahead_next = next,
                .ahead_step = line,
            };
            if (blocks > 1) {
                block.ahead = next + asked * stride / (size_t)blocks * (size_t)b;
                block.ahead_own = 0;
                block.ahead_step = asked * line / (size_t)blocks;
            }
            if (splits_panels && vector % V_PER_PANEL) linear_run_rows(format, V_PER_PANEL / 2, shape, rows, block);
            else linear_run_rows(format, 0, shape, rows, block);
        }
    }
}

static const linear_shape linear_single = {1, V_TILE_SINGLE_PANELS, V_TILE_SINGLE_PANELS * V_PER_PANEL};
static const linear_shape linear_narrow = {
    V_TILE_NARROW_ROWS, V_TILE_NARROW_PANELS, V_TILE_NARROW_PANELS * V_PER_PANEL};
static const linear_shape linear_wide = {V_TILE_ROWS, V_TILE_PANELS, V_TILE_PANELS * V_PER_PANEL};
static const linear_shape linear_last = {V_TILE_ROWS, 1, V_PER_PANEL};

#ifdef V_TILE_SPLIT_ROWS
static const linear_shape linear_split = {
    V_TILE_SPLIT_ROWS, V_TILE_SPLIT_PANELS, V_TILE_SPLIT_PANELS * V_PER_PANEL / 2};

// Where the wide blocks would leave registers empty: 3, 4, 7 and 8 rows of blocks of 4 and of 6.
V_INLINE bool linear_splits(int32_t rows)
{
    return rows <= V_TILE_SPLIT_ROWS || (rows > V_TILE_ROWS && rows <= 2 * V_TILE_SPLIT_ROWS);
}
#endif

static const linear_shape linear_int_single = {1, V_INT_SINGLE_PANELS, V_INT_SINGLE_PANELS * V_PER_PANEL};
static const linear_shape linear_int_narrow = {
    V_INT_NARROW_ROWS, V_INT_NARROW_PANELS, V_INT_NARROW_PANELS * V_PER_PANEL};
static const linear_shape linear_int_wide = {V_INT_ROWS, V_INT_PANELS, V_INT_PANELS * V_PER_PANEL};
static const linear_shape linear_int_last = {V_INT_ROWS, 1, V_PER_PANEL};

static int32_t CK_ISA_FN(linear_tile_panels)(ck_weight_type type, int32_t rows)
{
    if (ck_is_int_type(type)) {
        if (rows == 1) return linear_int_single.panels;
        return rows <= V_INT_NARROW_ROWS ? linear_int_narrow.panels : linear_int_wide.panels;
    }
    if (rows == 1) return linear_single.panels;
    if (rows <= V_TILE_NARROW_ROWS) return linear_narrow.panels;
#ifdef V_TILE_SPLIT_ROWS
    if (linear_splits(rows)) return linear_split.panels;
#endif
    return linear_wide.panels;
}

V_INLINE void linear_tile(const int format, const ck_linear_tile *t)
{
    const int32_t panels = CK_ISA_FN(linear_tile_panels)(CK_WEIGHT_F32, t->num_rows);
    const int32_t whole = t->num_panels - t->num_panels % panels;
    if (t->num_rows == 1) linear_run_panels(format, linear_single, t, 0, whole);
    else if (t->num_rows <= V_TILE_NARROW_ROWS) linear_run_panels(format, linear_narrow, t, 0, whole);
#ifdef V_TILE_SPLIT_ROWS
    else if (linear_splits(t->num_rows)) linear_run_panels(format, linear_split, t, 0, whole);
#endif
    else linear_run_panels(format, linear_wide, t, 0, whole);
    if (whole < t->num_panels) linear_run_panels(format, linear_last, t, whole, t->num_panels);
}

V_INLINE void linear_int_tile(const int format, const ck_linear_tile *t)
{
    const int32_t panels = CK_ISA_FN(linear_tile_panels)(CK_WEIGHT_I8, t->num_rows);
    const int32_t whole = t->num_panels - t->num_panels % panels;
    if (t->num_rows == 1) linear_run_panels(format, linear_int_single, t, 0, whole);
    else if (t->num_rows <= V_INT_NARROW_ROWS) linear_run_panels(format, linear_int_narrow, t, 0, whole);
    else linear_run_panels(format, linear_int_wide, t, 0, whole);
    if (whole < t->num_panels) linear_run_panels(format, linear_int_last, t, whole, t->num_panels);
}

CK_LINKAGE void CK_ISA_FN(linear_tile_f32)(const ck_linear_tile *tile) { linear_tile(LINEAR_F32, tile); }
CK_LINKAGE void CK_ISA_FN(linear_tile_f16)(const ck_linear_tile *tile) { linear_tile(LINEAR_F16, tile); }
CK_LINKAGE void CK_ISA_FN(linear_tile_bf16)(const ck_linear_tile *tile) { linear_tile(LINEAR_BF16, tile); }
CK_LINKAGE void CK_ISA_FN(linear_tile_bf16_bf16x)(const ck_linear_tile *tile) { linear_tile(LINEAR_BF16X, tile); }

CK_LINKAGE void CK_ISA_FN(linear_tile_i8)(const ck_linear_tile *tile) { linear_int_tile(LINEAR_I8F, tile); }
CK_LINKAGE void CK_ISA_FN(linear_tile_i4)(const ck_linear_tile *tile) { linear_int_tile(LINEAR_I4F, tile); }
CK_LINKAGE void CK_ISA_FN(linear_tile_i8a)(const ck_linear_tile *tile) { linear_int_tile(LINEAR_I8AF, tile); }
CK_LINKAGE void CK_ISA_FN(linear_tile_i4a)(const ck_linear_tile *tile) { linear_int_tile(LINEAR_I4AF, tile); }
CK_LINKAGE void CK_ISA_FN(linear_tile_i8h)(const ck_linear_tile *tile) { linear_int_tile(LINEAR_I8HF, tile); }
CK_LINKAGE void CK_ISA_FN(linear_tile_i8_i8x)(const ck_linear_tile *tile) { linear_int_tile(LINEAR_I8, tile); }
CK_LINKAGE void CK_ISA_FN(linear_tile_i4_i8x)(const ck_linear_tile *tile) { linear_int_tile(LINEAR_I4, tile); }
CK_LINKAGE void CK_ISA_FN(linear_tile_i8a_i8x)(const ck_linear_tile *tile) { linear_int_tile(LINEAR_I8A, tile); }
CK_LINKAGE void CK_ISA_FN(linear_tile_i4a_i8x)(const ck_linear_tile *tile) { linear_int_tile(LINEAR_I4A, tile); }
CK_LINKAGE void CK_ISA_FN(linear_tile_i8h_i8x)(const ck_linear_tile *tile) { linear_int_tile(LINEAR_I8H, tile); }

// A whole group; see ck_i8_row. Each loop does one thing, without a branch, so that the compiler makes vectors of it.
V_INLINE void i8_round_group(const float *x, bool bounds_pairs, int8_t *out, float *scale, int32_t *sums)
{
    // As integers magnitudes are in order, infinity and NaN above all others. Of a pair the sum of halves, which stays
    // finite.
    uint32_t most = 0;
    if (bounds_pairs) {
        for (int32_t k = 0; k < CK_GROUP; k += 2) {
            const float pair = 0.5f * __builtin_fabsf(x[k]) + 0.5f * __builtin_fabsf(x[k + 1]);
            const uint32_t magnitude = ck_bits(pair) & 0x7fffffff;
            most = magnitude > most ? magnitude : most;
        }
    } else {
        for (int32_t k = 0; k < CK_GROUP; k++) {
            const uint32_t magnitude = ck_bits(x[k]) & 0x7fffffff;
            most = magnitude > most ? magnitude : most;
        }
    }
    if (most >= 0x7f800000 || most < ck_bits(0x1p-100f)) {
        memset(out, 0, CK_GROUP);
        *scale = most >= 0x7f800000 ? __builtin_nanf("") : 0;
        sums[0] = sums[1] = 0;
        return;
    }
    // Where a pair's sum is 127, both of it round up to 128 in all at most.
    const float steps = bounds_pairs ? 63.5f : 127, inverse = steps / ck_float(most);
    // Rolled up: once these loops are straight lines, the compiler takes elements one by one.
    int32_t q[CK_GROUP], first_half = 0, second_half = 0;
#pragma clang loop unroll(disable)
    for (int32_t k = 0; k < CK_GROUP; k++) q[k] = (int32_t)__builtin_rintf(x[k] * inverse);
#pragma clang loop unroll(disable)
    for (int32_t k = 0; k < CK_GROUP; k++) out[k] = (int8_t)q[k];
#pragma clang loop unroll(disable)
    for (int32_t k = 0; k < CK_GROUP / 2; k++) first_half += q[k], second_half += q[k + CK_GROUP / 2];
    *scale = ck_float(most) / steps;
    sums[0] = first_half + second_half;
    sums[1] = first_half;
}

CK_LINKAGE void CK_ISA_FN(i8_round_row)(const ck_i8_row *row)
{
    const int32_t whole = row->count / CK_GROUP, left = row->count % CK_GROUP;
    for (int32_t g = 0; g < whole; g++)
        i8_round_group(row->x + g * CK_GROUP, row->bounds_pairs, row->out + g * CK_GROUP, row->scales + g,
                       row->sums + 2 * g);
    if (!left) return;
    float last[CK_GROUP] = {0};
    memcpy(last, row->x + whole * CK_GROUP, (size_t)left * sizeof *last);
    i8_round_group(last, row->bounds_pairs, row->out + whole * CK_GROUP, row->scales + whole, row->sums + 2 * whole);
}

CK_LINKAGE void CK_ISA_FN(bf16_round_row)(uint16_t *out, const float *x, int32_t count)
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

CK_LINKAGE void CK_ISA_FN(linear_epilogue_tile)(const ck_epilogue_tile *tile)
{
    if (tile->epilogue == CK_EPILOGUE_SWIGLU) epilogue_swiglu(tile);
    else epilogue_add(tile);
}
