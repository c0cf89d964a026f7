// Blocks of up to 12 rows by 2 panels on AVX-512: 24 accumulators, the weights of a step and one broadcast fit the 32
// registers, but a compiler that begins the next loads early moves nearly as many accumulators out as it multiplies.
// So a row's part of a step is one asm statement, and volatile ones keep their order.
#define AVX512_ROW(multiply_add) \
    __asm__ volatile("vbroadcastss %[x], %[b]\n\t" \
                     multiply_add " %[b], %[w0], %[a0]\n\t" \
                     multiply_add " %[b], %[w1], %[a1]" \
                     : [a0] "+v"(acc[0]), [a1] "+v"(acc[1]), [b] "=&v"(b) \
                     : [w0] "v"(w0), [w1] "v"(w1), [x] "m"(*x))

V_INLINE bool linear_is_pinned(const int format, const int R, const int C)
{
#ifdef V_HAS_BF16_DOT
    (void)format;  // any
#else
    if (format == LINEAR_BF16X) return false;
#endif
    return C == 2 && R > V_TILE_NARROW_ROWS;
}

// acc[c] += x * w[c], each of one k.
V_INLINE void avx512_row(v_f32 acc[2], v_f32 w0, v_f32 w1, const float *x)
{
    v_f32 b;
    AVX512_ROW("vfmadd231ps");
}

// The same, each a pair of bf16.
V_INLINE void avx512_row_of_pairs(v_f32 acc[2], v_f32 w0, v_f32 w1, const float *x)
{
#ifdef V_HAS_BF16_DOT
    v_f32 b;
    AVX512_ROW("vdpbf16ps");
#else
    (void)acc, (void)w0, (void)w1, (void)x;
#endif
}

// A line of each panel; x[i] + at is where row 3i has what it multiplies.
V_INLINE void linear_pinned_line(const int format, const int R, v_f32 *acc, const char *const x[4], size_t x_bytes,
                                 const int at, const char *panel, size_t stride_bytes)
{
    const int steps = format == LINEAR_F16 || format == LINEAR_BF16 ? 2 : 1;
#pragma clang loop unroll(full)
    for (int step = 0; step < steps; step++) {
        // A line of bf16 pairs is moved as one of floats is.
        const int moved = format == LINEAR_BF16X ? LINEAR_F32 : format;
        const v_f32 w0 = linear_weight(moved, step, 0, panel, stride_bytes);
        const v_f32 w1 = linear_weight(moved, step, 1, panel, stride_bytes);
#pragma clang loop unroll(full)
        for (int r = 0; r < R; r++) {
            const char *row = x[r / 3] + (size_t)(r % 3) * x_bytes + at + (size_t)step * sizeof(float);
            if (format == LINEAR_BF16X) avx512_row_of_pairs(acc + 2 * r, w0, w1, (const float *)row);
            else avx512_row(acc + 2 * r, w0, w1, (const float *)row);
        }
    }
}

// The k loop over whole pairs of lines. Returns where it ends.
V_INLINE int32_t linear_pinned_sum(const int format, const int R, const int O, const int C, v_f32 *acc,
                                   linear_block block, const char *first_row, const char *panel)
{
    (void)O, (void)C;  // two whole panels
    const ck_linear_tile *t = block.tile;
    const int is_16_bit = format == LINEAR_F16 || format == LINEAR_BF16, is_pair = format == LINEAR_BF16X;
    const size_t x_bytes = t->x_stride * (is_pair ? 2 : 4), stride = t->panel_stride_bytes, step = block.ahead_step;
    const int32_t turn = format == LINEAR_F32 ? 2 : 4, whole = is_pair ? t->depth + (t->depth & 1) : t->depth;
    const int32_t depth = whole - whole % turn, asks_on = linear_asks_on_at(&block, 2 * LINE_BYTES, turn);
    const int line_x_bytes = is_16_bit ? 8 : 4;
    const char *x[4] = {first_row, first_row + 3 * x_bytes, first_row + 6 * x_bytes, first_row + 9 * x_bytes};
    const char *ahead = block.ahead;
    for (int32_t k = 0; k < depth; k += turn) {
        if (k == asks_on) ahead = block.ahead_next;
#pragma clang loop unroll(full)
        for (int line = 0; line < 2; line++) {
            __builtin_prefetch(ahead, 0, 3);
            __builtin_prefetch(ahead + stride, 0, 3);
            linear_pinned_line(format, R, acc, x, x_bytes, line * line_x_bytes, panel, stride);
            ahead += step;
            panel += LINE_BYTES;
        }
#pragma clang loop unroll(full)
        for (int i = 0; i < (R + 2) / 3; i++) {
            x[i] += 2 * line_x_bytes;
            // A few pointers and one stride reach all rows; a compiler that knew of their relation would make more.
            __asm__("" : "+r"(x[i]));
        }
    }
    return depth;
}
