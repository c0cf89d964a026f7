// arm64 Advanced SIMD: 4 floats, 32 registers.
#define V_LANES 4
#define V_ACCUMULATORS 24
#define V_TILE_ROWS 6           // 6 rows x 16 columns = 24 accumulators
#define V_TILE_NARROW_ROWS 3
#define V_TILE_NARROW_PANELS 2  // 3 x 32 = 24
#define V_TILE_SINGLE_PANELS 4
#define V_TILE_PANELS 1

typedef float32x4_t v_f32;
typedef uint32x4_t v_mask;
#define V_FN static inline __attribute__((always_inline))

V_FN v_f32 v_zero(void) { return vdupq_n_f32(0); }
V_FN v_f32 v_set1(float x) { return vdupq_n_f32(x); }
V_FN v_f32 v_load(const float *p) { return vld1q_f32(p); }
V_FN void v_store(float *p, v_f32 v) { vst1q_f32(p, v); }
V_FN v_f32 v_load_n(const float *p, int32_t n)
{
    float lanes[4] = {0};
    for (int32_t i = 0; i < n; i++) lanes[i] = p[i];
    return vld1q_f32(lanes);
}
V_FN void v_store_n(float *p, v_f32 v, int32_t n)
{
    float lanes[4];
    vst1q_f32(lanes, v);
    for (int32_t i = 0; i < n; i++) p[i] = lanes[i];
}
V_FN v_f32 v_add(v_f32 a, v_f32 b) { return vaddq_f32(a, b); }
V_FN v_f32 v_sub(v_f32 a, v_f32 b) { return vsubq_f32(a, b); }
V_FN v_f32 v_mul(v_f32 a, v_f32 b) { return vmulq_f32(a, b); }
V_FN v_f32 v_div(v_f32 a, v_f32 b) { return vdivq_f32(a, b); }
V_FN v_mask v_less(v_f32 a, v_f32 b) { return vcltq_f32(a, b); }
V_FN v_f32 v_select(v_mask m, v_f32 if_set, v_f32 if_clear) { return vbslq_f32(m, if_set, if_clear); }
// As on x86: the second operand when either is NaN.
V_FN v_f32 v_max(v_f32 a, v_f32 b) { return v_select(vcgtq_f32(a, b), a, b); }
V_FN v_f32 v_min(v_f32 a, v_f32 b) { return v_select(vcltq_f32(a, b), a, b); }
V_FN v_f32 v_fma(v_f32 a, v_f32 b, v_f32 c) { return vfmaq_f32(c, a, b); }
V_FN v_f32 v_round(v_f32 x) { return vrndnq_f32(x); }
V_FN v_f32 v_exp2i(v_f32 n)
{
    return vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127)), 23));
}
V_FN float v_reduce_add(v_f32 v)
{
    float32x2_t s = vadd_f32(vget_low_f32(v), vget_high_f32(v));
    return vget_lane_f32(s, 0) + vget_lane_f32(s, 1);
}
V_FN float v_reduce_max(v_f32 v) { return vmaxvq_f32(v); }
V_FN v_f32 v_load_f16(const uint16_t *p) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p))); }
V_FN v_f32 v_load_bf16(const uint16_t *p) { return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16)); }
V_FN v_f32 v_load_i8(const int8_t *p)
{
    int32_t bytes;
    memcpy(&bytes, p, sizeof bytes);
    const int16x8_t wide = vmovl_s8(vreinterpret_s8_s32(vdup_n_s32(bytes)));
    return vcvtq_f32_s32(vmovl_s16(vget_low_s16(wide)));
}
V_FN v_f32 v_bf16_even(const uint16_t *pairs)
{
    return vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_u16(vld1q_u16(pairs)), 16));
}
V_FN v_f32 v_bf16_odd(const uint16_t *pairs)
{
    return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_u16(vld1q_u16(pairs)), vdupq_n_u32(0xffff0000)));
}
