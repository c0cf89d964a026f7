// Products of bytes on arm64: with FEAT_DotProd one instruction multiplies and adds quads; without, products of 16 bits
// that are added in pairs, for u4 once a group.
#define V_INT_ACCUMULATORS 16
#define V_INT_ROWS 4
#define V_INT_PANELS 1
#define V_INT_NARROW_ROWS 2
#define V_INT_NARROW_PANELS 2
#define V_INT_SINGLE_PANELS 4
#define V_I8_ACTIVATION CK_ACTIVATION_I8
#define V_QUADS_OFFSET 0

typedef int32x4_t v_i32;
typedef int8x16_t v_quads, v_quad, v_u4;

V_FN v_i32 v_i32_zero(void) { return vdupq_n_s32(0); }
V_FN v_i32 v_i32_set1(int32_t x) { return vdupq_n_s32(x); }
V_FN v_i32 v_i32_sub(v_i32 a, v_i32 b) { return vsubq_s32(a, b); }
V_FN v_f32 v_i32_to_f32(v_i32 a) { return vcvtq_f32_s32(a); }
V_FN v_quads v_load_quads(const void *p) { return vld1q_s8(p); }
V_FN v_quad v_set1_quad(const int8_t *p)
{
    int32_t quad;
    memcpy(&quad, p, sizeof quad);
    return vreinterpretq_s8_s32(vdupq_n_s32(quad));
}
V_FN v_u4 v_u4_low(const void *p) { return vreinterpretq_s8_u8(vandq_u8(vld1q_u8(p), vdupq_n_u8(15))); }
V_FN v_u4 v_u4_high(const void *p) { return vreinterpretq_s8_u8(vshrq_n_u8(vld1q_u8(p), 4)); }
#ifdef V_HAS_DOT_PRODUCT
typedef int32x4_t v_u4_sums;
V_FN v_i32 v_dot_quads(v_i32 acc, v_quads w, v_quad x) { return vdotq_s32(acc, w, x); }
V_FN v_u4_sums v_u4_zero(void) { return vdupq_n_s32(0); }
V_FN v_u4_sums v_u4_start(int32_t x_sum) { return vdupq_n_s32(-CK_I4_ZERO * x_sum); }
V_FN v_u4_sums v_dot_u4(v_u4_sums acc, v_u4 w, v_quad x) { return vdotq_s32(acc, w, x); }
V_FN v_i32 v_u4_total(v_u4_sums acc) { return acc; }
#else
typedef struct v_u4_sums {
    int16x8_t low, high;
} v_u4_sums;
V_FN v_i32 neon_add_quads(int16x8_t low, int16x8_t high) { return vpaddq_s32(vpaddlq_s16(low), vpaddlq_s16(high)); }
V_FN v_i32 v_dot_quads(v_i32 acc, v_quads w, v_quad x)
{
    const int16x8_t low = vmull_s8(vget_low_s8(w), vget_low_s8(x));
    return vaddq_s32(acc, neon_add_quads(low, vmull_high_s8(w, x)));
}
V_FN v_u4_sums v_u4_zero(void) { return (v_u4_sums){vdupq_n_s16(0), vdupq_n_s16(0)}; }
V_FN v_u4_sums v_u4_start(int32_t x_sum)
{
    const int16x8_t first_of_four = vreinterpretq_s16_s64(vdupq_n_s64((uint16_t)(-CK_I4_ZERO * x_sum)));
    return (v_u4_sums){first_of_four, first_of_four};
}
V_FN v_u4_sums v_dot_u4(v_u4_sums acc, v_u4 w, v_quad x)
{
    return (v_u4_sums){vmlal_s8(acc.low, vget_low_s8(w), vget_low_s8(x)), vmlal_high_s8(acc.high, w, x)};
}
V_FN v_i32 v_u4_total(v_u4_sums acc) { return neon_add_quads(acc.low, acc.high); }
#endif
V_FN v_f32 v_quad_element(const void *p, int32_t j)
{
    const int32x4_t top = vshlq_s32(vld1q_s32(p), vdupq_n_s32(24 - 8 * j));
    return vcvtq_f32_s32(vshrq_n_s32(top, 24));
}
V_FN v_f32 v_u4_element(const void *p, bool high, int32_t j)
{
    const uint32x4_t shifted = vshlq_u32(vld1q_u32(p), vdupq_n_s32(-(8 * j + (high ? 4 : 0))));
    const int32x4_t u4 = vreinterpretq_s32_u32(vandq_u32(shifted, vdupq_n_u32(15)));
    return vcvtq_f32_s32(vsubq_s32(u4, vdupq_n_s32(8)));
}
