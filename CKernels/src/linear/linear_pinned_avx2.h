// Blocks that fill the registers of AVX2, 4 rows by 3 column vectors or 6 by 2: 12 accumulators, the weights of one k
// and one broadcast. That is all 16 when there are 3 vectors, and a compiler that begins the next step's loads early
// moves accumulators out to make room. So a step is one asm statement.
//
//   [aRC]  accumulator of row R, vector C       [wC]  weights       [b]  a broadcast of x, or zeros
//   [mC]   where the weights are                [xR]  where x is
#define AVX2_ROW_2(r) \
    "vbroadcastss %[x" #r "], %[b]\n\t" \
    "vfmadd231ps %[b], %[w0], %[a" #r "0]\n\t" \
    "vfmadd231ps %[b], %[w1], %[a" #r "1]\n\t"
#define AVX2_ROW_3(r) AVX2_ROW_2(r) "vfmadd231ps %[b], %[w2], %[a" #r "2]\n\t"

#define AVX2_F32(c) "vmovups %[m" #c "], %[w" #c "]\n\t"
#define AVX2_F16(c) "vcvtph2ps %[m" #c "], %[w" #c "]\n\t"
#define AVX2_BF16_LOAD(c) "vmovdqu %[m" #c "], %[w" #c "]\n\t"
#define AVX2_BF16_EVEN(c) "vpslld $16, %[w" #c "], %[w" #c "]\n\t"
#define AVX2_BF16_ODD(c) "vpblendw $0xaa, %[m" #c "], %[b], %[w" #c "]\n\t"
#define AVX2_CLEAR "vpxor %[b], %[b], %[b]\n\t"

#define AVX2_TEMPORARIES [w0] "=&x"(w0), [w1] "=&x"(w1), [b] "=&x"(b)
#define AVX2_SUMS_4X3 \
    [a00] "+x"(acc[0]), [a01] "+x"(acc[1]), [a02] "+x"(acc[2]), [a10] "+x"(acc[3]), [a11] "+x"(acc[4]), \
    [a12] "+x"(acc[5]), [a20] "+x"(acc[6]), [a21] "+x"(acc[7]), [a22] "+x"(acc[8]), [a30] "+x"(acc[9]), \
    [a31] "+x"(acc[10]), [a32] "+x"(acc[11])
#define AVX2_SUMS_6X2 \
    [a00] "+x"(acc[0]), [a01] "+x"(acc[1]), [a10] "+x"(acc[2]), [a11] "+x"(acc[3]), [a20] "+x"(acc[4]), \
    [a21] "+x"(acc[5]), [a30] "+x"(acc[6]), [a31] "+x"(acc[7]), [a40] "+x"(acc[8]), [a41] "+x"(acc[9]), \
    [a50] "+x"(acc[10]), [a51] "+x"(acc[11])

// Vectors and floats where an asm statement may read them.
typedef struct avx2_bytes {
    char bytes[32];
} avx2_bytes;
#define AVX2_W(c) [m##c] "m"(*(const avx2_bytes *)weights[c])
#define AVX2_X(r) [x##r] "m"(*(const float *)(x[r / 3] + r % 3 * x_bytes + (size_t)k * sizeof(float)))

#define AVX2_STEP_4X3(load) \
    __asm__(load AVX2_ROW_3(0) AVX2_ROW_3(1) AVX2_ROW_3(2) AVX2_ROW_3(3) \
            : AVX2_SUMS_4X3, AVX2_TEMPORARIES, [w2] "=&x"(w2) \
            : AVX2_W(0), AVX2_W(1), AVX2_W(2), AVX2_X(0), AVX2_X(1), AVX2_X(2), AVX2_X(3))
#define AVX2_STEP_6X2(load) \
    __asm__(load AVX2_ROW_2(0) AVX2_ROW_2(1) AVX2_ROW_2(2) AVX2_ROW_2(3) AVX2_ROW_2(4) AVX2_ROW_2(5) \
            : AVX2_SUMS_6X2, AVX2_TEMPORARIES \
            : AVX2_W(0), AVX2_W(1), AVX2_X(0), AVX2_X(1), AVX2_X(2), AVX2_X(3), AVX2_X(4), AVX2_X(5))
#define AVX2_BF16_EVEN_2 AVX2_BF16_LOAD(0) AVX2_BF16_LOAD(1) AVX2_BF16_EVEN(0) AVX2_BF16_EVEN(1)
#define AVX2_BF16_ODD_2 AVX2_CLEAR AVX2_BF16_ODD(0) AVX2_BF16_ODD(1)

// acc[r, c] += x[r, k] * w[k, c] with weights[c] those of vector c, and x[0], x[1] where rows 0 and 3 start.
V_INLINE void linear_pinned_step(const int format, const int C, const int k, v_f32 *acc, const char *const x[2],
                               size_t x_bytes, const char *const weights[3])
{
    v_f32 w0, w1, w2, b;
    if (C == 3) {
        if (format == LINEAR_F32) AVX2_STEP_4X3(AVX2_F32(0) AVX2_F32(1) AVX2_F32(2));
        else if (format == LINEAR_F16) AVX2_STEP_4X3(AVX2_F16(0) AVX2_F16(1) AVX2_F16(2));
        else if (k % 2) AVX2_STEP_4X3(AVX2_BF16_ODD_2 AVX2_BF16_ODD(2));
        else AVX2_STEP_4X3(AVX2_BF16_LOAD(2) AVX2_BF16_EVEN_2 AVX2_BF16_EVEN(2));
    } else {
        if (format == LINEAR_F32) AVX2_STEP_6X2(AVX2_F32(0) AVX2_F32(1));
        else if (format == LINEAR_F16) AVX2_STEP_6X2(AVX2_F16(0) AVX2_F16(1));
        else if (k % 2) AVX2_STEP_6X2(AVX2_BF16_ODD_2);
        else AVX2_STEP_6X2(AVX2_BF16_EVEN_2);
    }
}

// Line `line` of those that start at panel, whose first k is 0.
V_INLINE void linear_pinned_line(const int format, const int O, const int C, const int line, v_f32 *acc,
                               const char *const x[2], size_t x_bytes, const char *panel, size_t stride_bytes)
{
    const int line_depth = format == LINEAR_F32 ? 1 : 2;
#pragma clang loop unroll(full)
    for (int i = 0; i < line_depth; i++) {
        const char *weights[3];
#pragma clang loop unroll(full)
        for (int c = 0; c < 3; c++) {
            const int lane = (O + c) % V_PER_PANEL * V_LANES;
            const int offset = format == LINEAR_F16 ? 2 * (lane + i * CK_PANEL_COLUMNS) : 4 * lane;
            weights[c] = panel + (size_t)((O + c) / V_PER_PANEL) * stride_bytes + line * LINE_BYTES + offset;
        }
        linear_pinned_step(format, C, line * line_depth + i, acc, x, x_bytes, weights);
    }
}

V_INLINE bool linear_is_pinned(const int format, const int R, const int C)
{
    return R * C == V_ACCUMULATORS && C <= 3 && format != LINEAR_BF16X;
}

// The k loop over whole pairs of lines. Returns where it ends.
V_INLINE int32_t linear_pinned_sum(const int format, const int R, const int O, const int C, v_f32 *acc,
                                   linear_block block, const char *first_row, const char *panel)
{
    (void)R;  // what C leaves room for
    const ck_linear_tile *t = block.tile;
    const size_t x_bytes = t->x_stride * sizeof(float), stride = t->panel_stride_bytes;
    const int32_t turn = format == LINEAR_F32 ? 2 : 4, depth = t->depth - t->depth % turn;
    const int32_t asks_on = linear_asks_on_at(&block, 2 * LINE_BYTES, turn);
    const char *x[2] = {first_row, first_row + 3 * x_bytes}, *ahead = block.ahead;
    for (int32_t k = 0; k < depth; k += turn) {
        if (k == asks_on) ahead = block.ahead_next;
        __builtin_prefetch(ahead, 0, 3);
        linear_pinned_line(format, O, C, 0, acc, x, x_bytes, panel, stride);
        __builtin_prefetch(ahead + block.ahead_step, 0, 3);
        linear_pinned_line(format, O, C, 1, acc, x, x_bytes, panel, stride);
        x[0] += (size_t)turn * sizeof(float);
        x[1] += (size_t)turn * sizeof(float);
        // Two pointers and one stride reach all rows; a compiler that knew of their relation would make more.
        __asm__("" : "+r"(x[0]), "+r"(x[1]));
        panel += 2 * LINE_BYTES;
        ahead += 2 * block.ahead_step;
    }
    return depth;
}
