// VDPBF16PS: each lane adds two bf16 products to a float. It rounds to nearest even, flushes denormals and is not
// fused (Intel SDM), so its bits are its own; the order of pairs is fixed all the same.
#define V_HAS_BF16_DOT 1
#define V_HAS_VNNI 1  // the processors with the one have the other

typedef __m512bh v_bf16_pairs;

V_FN v_bf16_pairs v_load_bf16_pairs(const uint16_t *p) { return (__m512bh)_mm512_loadu_si512(p); }
V_FN v_bf16_pairs v_set1_bf16_pair(const uint16_t *p)
{
    int32_t pair;
    memcpy(&pair, p, sizeof pair);
    return (__m512bh)_mm512_set1_epi32(pair);
}
V_FN v_f32 v_bf16_dot(v_f32 acc, v_bf16_pairs a, v_bf16_pairs b) { return _mm512_dpbf16_ps(acc, a, b); }
