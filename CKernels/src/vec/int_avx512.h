// Products of bytes on AVX-512: signed weights go in 128 too large, as one side is unsigned. With VNNI one instruction
// multiplies and adds quads; without, it is done as on AVX2.
#define V_INT_ACCUMULATORS 16
#define V_INT_ROWS 8
#define V_INT_PANELS 2
#define V_INT_NARROW_ROWS 4
#define V_INT_NARROW_PANELS 4
#define V_INT_SINGLE_PANELS 4
#define V_QUADS_OFFSET 128

typedef __m512i v_i32, v_quad, v_quads, v_u4, v_u4_sums;

V_FN v_i32 v_i32_zero(void) { return _mm512_setzero_si512(); }
V_FN v_i32 v_i32_set1(int32_t x) { return _mm512_set1_epi32(x); }
V_FN v_i32 v_i32_sub(v_i32 a, v_i32 b) { return _mm512_sub_epi32(a, b); }
V_FN v_f32 v_i32_to_f32(v_i32 a) { return _mm512_cvtepi32_ps(a); }
V_FN v_quad v_set1_quad(const int8_t *p)
{
    int32_t quad;
    memcpy(&quad, p, sizeof quad);
    return _mm512_set1_epi32(quad);
}
V_FN v_u4_sums v_u4_zero(void) { return _mm512_setzero_si512(); }
V_FN v_u4 v_u4_low(const void *p) { return _mm512_and_si512(_mm512_loadu_si512(p), _mm512_set1_epi8(15)); }
V_FN v_u4 v_u4_high(const void *p)
{
    return _mm512_and_si512(_mm512_srli_epi16(_mm512_loadu_si512(p), 4), _mm512_set1_epi8(15));
}
V_FN v_quads v_load_quads(const void *p)
{
    return _mm512_xor_si512(_mm512_loadu_si512(p), _mm512_set1_epi8((char)V_QUADS_OFFSET));
}
#ifdef V_HAS_VNNI
#define V_I8_ACTIVATION CK_ACTIVATION_I8
V_FN v_i32 v_dot_quads(v_i32 acc, v_quads w, v_quad x) { return _mm512_dpbusd_epi32(acc, w, x); }
V_FN v_u4_sums v_u4_start(int32_t x_sum) { return v_i32_set1(-CK_I4_ZERO * x_sum); }
V_FN v_u4_sums v_dot_u4(v_u4_sums acc, v_u4 w, v_quad x) { return _mm512_dpbusd_epi32(acc, w, x); }
V_FN v_i32 v_u4_total(v_u4_sums acc) { return acc; }
#else
#define V_I8_ACTIVATION CK_ACTIVATION_I8_PAIRS
V_FN v_i32 v_dot_quads(v_i32 acc, v_quads w, v_quad x)
{
    return _mm512_add_epi32(acc, _mm512_madd_epi16(_mm512_maddubs_epi16(w, x), _mm512_set1_epi16(1)));
}
V_FN v_u4_sums v_u4_start(int32_t x_sum)
{
    return _mm512_mullo_epi16(v_i32_set1(x_sum), v_i32_set1((uint16_t)-CK_I4_ZERO));
}
V_FN v_u4_sums v_dot_u4(v_u4_sums acc, v_u4 w, v_quad x) { return _mm512_add_epi16(acc, _mm512_maddubs_epi16(w, x)); }
V_FN v_i32 v_u4_total(v_u4_sums acc) { return _mm512_madd_epi16(acc, _mm512_set1_epi16(1)); }
#endif
V_FN v_f32 v_quad_element(const void *p, int32_t j)
{
    const __m512i top = _mm512_sll_epi32(_mm512_loadu_si512(p), _mm_cvtsi32_si128(24 - 8 * j));
    return _mm512_cvtepi32_ps(_mm512_srai_epi32(top, 24));
}
V_FN v_f32 v_u4_element(const void *p, bool high, int32_t j)
{
    const __m512i shifted = _mm512_srl_epi32(_mm512_loadu_si512(p), _mm_cvtsi32_si128(8 * j + (high ? 4 : 0)));
    const __m512i u4 = _mm512_and_si512(shifted, _mm512_set1_epi32(15));
    return _mm512_cvtepi32_ps(_mm512_sub_epi32(u4, _mm512_set1_epi32(8)));
}
