// BFDOT: each lane adds two bf16 products to a float, in the instruction's own rounding (Arm ARM, FPDot).
#define V_HAS_BF16_DOT 1
#define V_HAS_DOT_PRODUCT 1

typedef bfloat16x8_t v_bf16_pairs;

V_FN v_bf16_pairs v_load_bf16_pairs(const uint16_t *p) { return vreinterpretq_bf16_u16(vld1q_u16(p)); }
V_FN v_bf16_pairs v_set1_bf16_pair(const uint16_t *p)
{
    uint32_t pair;
    memcpy(&pair, p, sizeof pair);
    return vreinterpretq_bf16_u32(vdupq_n_u32(pair));
}
V_FN v_f32 v_bf16_dot(v_f32 acc, v_bf16_pairs a, v_bf16_pairs b) { return vbfdotq_f32(acc, a, b); }
