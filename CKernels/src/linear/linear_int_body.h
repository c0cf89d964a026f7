// Products with integer weights. Within a group of 32 k they are exact: quads of neighbouring k are multiplied and
// added as the processors' byte dot products do. Parameters beside those of linear_body.h:
//
//   v_i32 v_i32_zero v_i32_set1 v_i32_sub     V_LANES integers
//   v_i32_to_f32
//   v_quads v_load_quads(p)                   V_LANES quads of signed bytes, ready to be multiplied
//   v_set1_quad(p)                            the quad at p in every lane
//   v_dot_quads(acc, w, x)                    acc + w . x, plus V_QUADS_OFFSET times the sum of x, which is rounded as
//                                             V_I8_ACTIVATION says
//   v_u4_sums v_u4_zero v_u4_low(p) v_u4_high(p) v_dot_u4(acc, w, x) v_u4_total(acc)
//                                             the same for quads of 0...15, for eight quads at most
//   v_u4_start(x_sum)                         sums whose total is -CK_I4_ZERO times x_sum, the sum of the 32 x to come
//   v_quad_element(p, j), v_u4_element(p, high, j)   element j of V_LANES quads, less CK_I4_ZERO if u4, as floats

enum { QUADS_PER_GROUP = CK_GROUP / 4 };

// Where the quads of column vector c lie; `line` is those of the first panel.
V_INLINE const char *linear_int_at(const char *line, size_t stride_bytes, const int c)
{
    return line + (size_t)(c / V_PER_PANEL) * stride_bytes + (size_t)(c % V_PER_PANEL * V_LANES * 4);
}

V_INLINE v_f32 linear_int_scales(const char *panel, size_t stride_bytes, size_t at, const int c)
{
    const char *scales = panel + (size_t)(c / V_PER_PANEL) * stride_bytes + at;
    return v_load_f16((const uint16_t *)scales + c % V_PER_PANEL * V_LANES);
}

// Scales of a run type, or its second ones: a small number for each group times a factor for each run.
V_INLINE v_f32 linear_run_scales(const char *panel, size_t stride_bytes, const ck_weight_type type, int32_t g,
                                 const int second, const int c)
{
    const size_t factors = ck_run_at(type, g) + (second ? CK_SCALES_BYTES : 0);
    const char *at = panel + (size_t)(c / V_PER_PANEL) * stride_bytes + factors;
    const v_f32 small = linear_int_scales(panel, stride_bytes,
                                          ck_group_scales_at(type, g) + (second ? CK_GROUP_SCALES_BYTES : 0), c);
    return v_mul(v_load((const float *)at + c % V_PER_PANEL * V_LANES), small);
}

V_INLINE ck_weight_type linear_int_type(const int format)
{
    switch (format) {
    case LINEAR_I8:
    case LINEAR_I8F: return CK_WEIGHT_I8;
    case LINEAR_I4:
    case LINEAR_I4F: return CK_WEIGHT_I4;
    case LINEAR_I8A:
    case LINEAR_I8AF: return CK_WEIGHT_I8A;
    case LINEAR_I4A:
    case LINEAR_I4AF: return CK_WEIGHT_I4A;
    default: return CK_WEIGHT_I8H;
    }
}

V_INLINE void linear_int_ask(const char **ahead, size_t ahead_step, const int P, size_t stride_bytes)
{
#pragma clang loop unroll(full)
    for (int p = 0; p < P; p++) __builtin_prefetch(*ahead + (size_t)p * stride_bytes, 0, 3);
    *ahead += ahead_step;
}

// sums[r, c] += the quads of a line of bytes times those of x.
V_INLINE void linear_step_i8(const int R, const int C, v_i32 *sums, const char *line, size_t stride,
                             const int8_t *quads, size_t x_stride)
{
    if (R < C) {
        v_quad rows[V_INT_ACCUMULATORS];
#pragma clang loop unroll(full)
        for (int r = 0; r < R; r++) rows[r] = v_set1_quad(quads + (size_t)r * x_stride);
#pragma clang loop unroll(full)
        for (int c = 0; c < C; c++) {
            const v_quads w = v_load_quads(linear_int_at(line, stride, c));
#pragma clang loop unroll(full)
            for (int r = 0; r < R; r++) sums[r * C + c] = v_dot_quads(sums[r * C + c], w, rows[r]);
        }
    } else {
        v_quads w[V_INT_ACCUMULATORS];
#pragma clang loop unroll(full)
        for (int c = 0; c < C; c++) w[c] = v_load_quads(linear_int_at(line, stride, c));
#pragma clang loop unroll(full)
        for (int r = 0; r < R; r++) {
            const v_quad row = v_set1_quad(quads + (size_t)r * x_stride);
#pragma clang loop unroll(full)
            for (int c = 0; c < C; c++) sums[r * C + c] = v_dot_quads(sums[r * C + c], w[c], row);
        }
    }
}

// Quads first...last of a group of bytes: sums[r, c] = their products as integers. The first quads are outside the
// loop, where nothing needs to be cleared and added to.
V_INLINE void linear_group_i8(const int R, const int C, const int first, const int last, v_i32 *sums,
                              const char *panel, size_t stride, size_t at, const int8_t *x, size_t x_stride,
                              const char **ahead, size_t ahead_step)
{
    const char *lines = panel + at;
#pragma clang loop unroll(full)
    for (int i = 0; i < R * C; i++) sums[i] = v_i32_zero();
    linear_int_ask(ahead, ahead_step, C / V_PER_PANEL, stride);
    linear_step_i8(R, C, sums, lines + first * CK_PANEL_COLUMNS * 4, stride, x + first * 4, x_stride);
    // Unrolled, this loop would be turned inside out, row by row, with all weights on the stack.
#pragma clang loop unroll(disable)
    for (int q = first + 1; q < last; q++) {
        linear_int_ask(ahead, ahead_step, C / V_PER_PANEL, stride);
        linear_step_i8(R, C, sums, lines + q * CK_PANEL_COLUMNS * 4, stride, x + q * 4, x_stride);
    }
}

// acc[r, c] += the low or the high quads of a line of I4 times those of x.
V_INLINE void linear_step_u4(const int R, const int C, const int high, v_u4_sums *acc, const char *line, size_t stride,
                             const int8_t *quads, size_t x_stride)
{
    v_u4 w[V_INT_ACCUMULATORS];
#pragma clang loop unroll(full)
    for (int c = 0; c < C; c++) {
        const char *bytes = linear_int_at(line, stride, c);
        w[c] = high ? v_u4_high(bytes) : v_u4_low(bytes);
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < R; r++) {
        const v_quad row = v_set1_quad(quads + (size_t)r * x_stride);
#pragma clang loop unroll(full)
        for (int c = 0; c < C; c++) acc[r * C + c] = v_dot_u4(acc[r * C + c], w[c], row);
    }
}

// Both halves of a line of I4. With few rows each vector's halves follow one another: apart, all that was loaded for
// the one would be kept for the other.
V_INLINE void linear_line_u4(const int R, const int C, v_u4_sums *acc, const char *line, size_t stride,
                             const int8_t *quads, size_t x_stride)
{
    if (R >= C) {
        linear_step_u4(R, C, 0, acc, line, stride, quads, x_stride);
        linear_step_u4(R, C, 1, acc, line, stride, quads + CK_GROUP / 2, x_stride);
        return;
    }
    v_quad low[V_INT_ACCUMULATORS], high[V_INT_ACCUMULATORS];
#pragma clang loop unroll(full)
    for (int r = 0; r < R; r++) {
        low[r] = v_set1_quad(quads + (size_t)r * x_stride);
        high[r] = v_set1_quad(quads + CK_GROUP / 2 + (size_t)r * x_stride);
    }
#pragma clang loop unroll(full)
    for (int c = 0; c < C; c++) {
        const char *bytes = linear_int_at(line, stride, c);
        const v_u4 w_low = v_u4_low(bytes), w_high = v_u4_high(bytes);
#pragma clang loop unroll(full)
        for (int r = 0; r < R; r++) {
            acc[r * C + c] = v_dot_u4(acc[r * C + c], w_low, low[r]);
            acc[r * C + c] = v_dot_u4(acc[r * C + c], w_high, high[r]);
        }
    }
}

// Of rows of int8, a group's scale and sums; x_sums are those of the group and of its first half.
typedef struct linear_int_rows {
    const float *scales;
    const int32_t *sums;
    size_t groups;  // of a row
} linear_int_rows;

// The same for a group of nibbles: as they are held, or less CK_I4_ZERO, for which the rows' sums make up at the start.
// Where sums are of 16 bits, one of a column's may hold all of that: with the products of its own 16 x to come it ends
// within 16 * 8 * 127 of them and 16 * 8 * 127 of the others.
V_INLINE void linear_group_i4(const int R, const int C, const int centred, v_i32 *sums, const char *panel,
                              size_t stride, size_t at, const int8_t *x, size_t x_stride, linear_int_rows rows,
                              const char **ahead, size_t ahead_step)
{
    v_u4_sums acc[V_INT_ACCUMULATORS];
#pragma clang loop unroll(full)
    for (int r = 0; r < R; r++) {
        const v_u4_sums start = centred ? v_u4_start(rows.sums[2 * (size_t)r * rows.groups]) : v_u4_zero();
#pragma clang loop unroll(full)
        for (int c = 0; c < C; c++) acc[r * C + c] = start;
    }
    const char *lines = panel + at;
    linear_int_ask(ahead, ahead_step, C / V_PER_PANEL, stride);
    linear_line_u4(R, C, acc, lines, stride, x, x_stride);
#pragma clang loop unroll(disable)
    for (int q = 1; q < QUADS_PER_GROUP / 2; q++) {
        linear_int_ask(ahead, ahead_step, C / V_PER_PANEL, stride);
        linear_line_u4(R, C, acc, lines + q * CK_PANEL_COLUMNS * 4, stride, x + q * 4, x_stride);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < R * C; i++) sums[i] = v_u4_total(acc[i]);
}

enum { WHOLE_GROUP, FIRST_HALF, SECOND_HALF };

V_INLINE int32_t linear_x_sum(const int part, const int32_t *sums)
{
    return part == WHOLE_GROUP ? sums[0] : part == FIRST_HALF ? sums[1] : sums[0] - sums[1];
}

// acc[r, c] += scales[c] * x scale[r] * what sums[r, c] stand for, weights held `offset` too large.
V_INLINE void linear_add_sums(const int R, const int C, const int offset, const int part, v_f32 *acc, const v_i32 *sums,
                              const v_f32 *scales, linear_int_rows rows)
{
#pragma clang loop unroll(full)
    for (int r = 0; r < R; r++) {
        const size_t group = (size_t)r * rows.groups;
        const v_i32 surplus = v_i32_set1(offset * linear_x_sum(part, rows.sums + 2 * group));
        const v_f32 x_scale = v_set1(rows.scales[group]);
#pragma clang loop unroll(full)
        for (int c = 0; c < C; c++) {
            const v_i32 sum = offset ? v_i32_sub(sums[r * C + c], surplus) : sums[r * C + c];
            acc[r * C + c] = v_fma(v_i32_to_f32(sum), v_mul(scales[c], x_scale), acc[r * C + c]);
        }
    }
}

// acc[r, c] += minima[c] * the sum of row r.
V_INLINE void linear_add_minima(const int R, const int C, v_f32 *acc, const v_f32 *minima, linear_int_rows rows)
{
#pragma clang loop unroll(full)
    for (int r = 0; r < R; r++) {
        const size_t group = (size_t)r * rows.groups;
        const v_f32 sum = v_set1(rows.scales[group] * (float)rows.sums[2 * group]);
#pragma clang loop unroll(full)
        for (int c = 0; c < C; c++) acc[r * C + c] = v_fma(minima[c], sum, acc[r * C + c]);
    }
}

// What the integers that the sums are of are more than they stand for.
V_INLINE int linear_int_offset(const int format)
{
    if (ck_is_nibble_type(linear_int_type(format))) return 0;
    return V_QUADS_OFFSET + (format == LINEAR_I8A ? CK_I8A_ZERO : 0);
}

// Bytes of a panel for each line of weights: integers have their scales beside them.
V_INLINE size_t linear_line_bytes(const int format)
{
    if (format < LINEAR_I8 || format >= LINEAR_I8F) return LINE_BYTES;
    const ck_weight_type type = linear_int_type(format);
    const size_t lines = ck_group_bytes(type) / LINE_BYTES;
    if (!ck_is_run_type(type)) return LINE_BYTES + CK_GROUP_SCALES_BYTES / lines;
    return LINE_BYTES + (CK_SCALES_BYTES + CK_RUN_FACTORS_BYTES / CK_RUN) / lines;
}

// Rows of int8 with a scale for each group.
V_INLINE void linear_int_block(const int format, const int R, const int C, linear_block block)
{
    const ck_linear_tile *t = block.tile;
    const ck_weight_type type = linear_int_type(format);
    const int offset = linear_int_offset(format), half = QUADS_PER_GROUP / 2;
    const int32_t groups = ck_num_groups(t->depth);
    const size_t stride = t->panel_stride_bytes, x_stride = t->x_stride, step = block.ahead_step;
    const char *panel = (const char *)t->panels + (size_t)block.first_panel * stride, *ahead = block.ahead;
    const size_t group_lines = ck_group_bytes(type) / LINE_BYTES;
    const int32_t asks_on = linear_asks_on_at(&block, group_lines * linear_line_bytes(format), 1);
    const int8_t *x = (const int8_t *)t->x + (size_t)block.first_row * x_stride;
    linear_int_rows rows = {
        .scales = t->x_scales + (size_t)block.first_row * (size_t)groups,
        .sums = t->x_sums + 2 * (size_t)block.first_row * (size_t)groups,
        .groups = (size_t)groups,
    };
    v_f32 acc[V_INT_ACCUMULATORS];
#pragma clang loop unroll(full)
    for (int i = 0; i < R * C; i++) acc[i] = v_zero();
    size_t at = ck_group_at(type, 0), scales_at = ck_group_scales_at(type, 0);
    for (int32_t g = 0; g < groups; g++, x += CK_GROUP, rows.scales++, rows.sums += 2) {
        v_i32 sums[V_INT_ACCUMULATORS];
        v_f32 scales[V_INT_ACCUMULATORS];
        if (g == asks_on) ahead = block.ahead_next;
        if (ck_is_nibble_type(type)) {
            linear_group_i4(R, C, format == LINEAR_I4, sums, panel, stride, at, x, x_stride, rows, &ahead, step);
        } else {
            const int last = type == CK_WEIGHT_I8H ? half : QUADS_PER_GROUP;
            linear_group_i8(R, C, 0, last, sums, panel, stride, at, x, x_stride, &ahead, step);
        }
#pragma clang loop unroll(full)
        for (int c = 0; c < C; c++)
            scales[c] = ck_is_run_type(type) ? linear_run_scales(panel, stride, type, g, 0, c)
                                             : linear_int_scales(panel, stride, scales_at, c);
        linear_add_sums(R, C, offset, type == CK_WEIGHT_I8H ? FIRST_HALF : WHOLE_GROUP, acc, sums, scales, rows);
        const size_t group_at = at;
        at += ck_group_step(type, g);
        scales_at += ck_group_scales_step(type, g);
        if (!ck_is_run_type(type)) continue;
#pragma clang loop unroll(full)
        for (int c = 0; c < C; c++) scales[c] = linear_run_scales(panel, stride, type, g, 1, c);
        if (type == CK_WEIGHT_I8H) {
            linear_group_i8(R, C, half, QUADS_PER_GROUP, sums, panel, stride, group_at, x, x_stride, &ahead, step);
            linear_add_sums(R, C, offset, SECOND_HALF, acc, sums, scales, rows);
        } else {
            linear_add_minima(R, C, acc, scales, rows);
        }
    }
    linear_store(R, 0, C, acc, block);
}

// Weights of column vector c at one k, as floats.
V_INLINE v_f32 linear_int_weight(const int format, const char *panel, size_t stride, int32_t k, const int c)
{
    const ck_weight_type type = linear_int_type(format);
    const int32_t g = k / CK_GROUP, i = k % CK_GROUP;
    const bool is_second_half = i >= CK_GROUP / 2;
    const size_t at = ck_group_at(type, g) + ck_group_element_at(type, i, 0) - (size_t)(i % 4);
    const char *quads = linear_int_at(panel + at, stride, c);
    const v_f32 q = ck_is_nibble_type(type) ? v_u4_element(quads, is_second_half, i % 4) : v_quad_element(quads, i % 4);
    if (!ck_is_run_type(type)) return v_mul(q, linear_int_scales(panel, stride, ck_group_scales_at(type, g), c));
    if (type == CK_WEIGHT_I8H) return v_mul(q, linear_run_scales(panel, stride, type, g, is_second_half, c));
    const v_f32 from_zero = v_add(q, v_set1(type == CK_WEIGHT_I4A ? CK_I4_ZERO : -CK_I8A_ZERO));
    return v_fma(from_zero, linear_run_scales(panel, stride, type, g, 0, c),
                 linear_run_scales(panel, stride, type, g, 1, c));
}

// Rows of floats: weights are widened, exactly, and summed as those of the float formats are.
V_INLINE void linear_int_block_f32x(const int format, const int R, const int C, linear_block block)
{
    const ck_linear_tile *t = block.tile;
    const size_t stride = t->panel_stride_bytes;
    const char *panel = (const char *)t->panels + (size_t)block.first_panel * stride;
    const float *x = (const float *)t->x + (size_t)block.first_row * t->x_stride;
    v_f32 acc[V_INT_ACCUMULATORS];
#pragma clang loop unroll(full)
    for (int i = 0; i < R * C; i++) acc[i] = v_zero();
    for (int32_t k = 0; k < t->depth; k++) {
#pragma clang loop unroll(full)
        for (int c = 0; c < C; c++) {
            const v_f32 w = linear_int_weight(format, panel, stride, k, c);
#pragma clang loop unroll(full)
            for (int r = 0; r < R; r++)
                acc[r * C + c] = v_fma(v_set1(x[(size_t)r * t->x_stride + (size_t)k]), w, acc[r * C + c]);
        }
    }
    linear_store(R, 0, C, acc, block);
}
