// Products of bytes on AVX2: signed weights go in 128 too large, as one side is unsigned. With AVX-VNNI one instruction
// multiplies and adds quads. Without, VPMADDUBSW adds pairs in 16 bits, with saturation: 255 * 128 fits, so much may
// the magnitudes of a pair of x add up to. Eight pairs of 15 * 127 fit too, so quads of u4 are widened once a group.
#define V_INT_ACCUMULATORS 8
#define V_INT_ROWS 4
#define V_INT_PANELS 1
#define V_INT_NARROW_ROWS 2
#define V_INT_NARROW_PANELS 2
#define V_INT_SINGLE_PANELS 4
#define V_QUADS_OFFSET 128

typedef __m256i v_i32, v_quad, v_quads, v_u4, v_u4_sums;

V_FN v_i32 v_i32_zero(void) { return _mm256_setzero_si256(); }
V_FN v_i32 v_i32_set1(int32_t x) { return _mm256_set1_epi32(x); }
V_FN v_i32 v_i32_sub(v_i32 a, v_i32 b) { return _mm256_sub_epi32(a, b); }
V_FN v_f32 v_i32_to_f32(v_i32 a) { return _mm256_cvtepi32_ps(a); }
V_FN __m256i avx2_bytes_at(const void *p) { return _mm256_loadu_si256((const __m256i *)p); }
V_FN v_quads v_load_quads(const void *p)
{
    return _mm256_xor_si256(avx2_bytes_at(p), _mm256_set1_epi8((char)V_QUADS_OFFSET));
}
V_FN v_quad v_set1_quad(const int8_t *p)
{
    int32_t quad;
    memcpy(&quad, p, sizeof quad);
    return _mm256_set1_epi32(quad);
}
V_FN v_u4_sums v_u4_zero(void) { return _mm256_setzero_si256(); }
V_FN v_u4 v_u4_low(const void *p) { return _mm256_and_si256(avx2_bytes_at(p), _mm256_set1_epi8(15)); }
V_FN v_u4 v_u4_high(const void *p)
{
    return _mm256_and_si256(_mm256_srli_epi16(avx2_bytes_at(p), 4), _mm256_set1_epi8(15));
}
#ifdef V_HAS_VNNI
#define V_I8_ACTIVATION CK_ACTIVATION_I8
V_FN v_i32 v_dot_quads(v_i32 acc, v_quads w, v_quad x) { return _mm256_dpbusd_avx_epi32(acc, w, x); }
V_FN v_u4_sums v_u4_start(int32_t x_sum) { return v_i32_set1(-CK_I4_ZERO * x_sum); }
V_FN v_u4_sums v_dot_u4(v_u4_sums acc, v_u4 w, v_quad x) { return _mm256_dpbusd_avx_epi32(acc, w, x); }
V_FN v_i32 v_u4_total(v_u4_sums acc) { return acc; }
#else
#define V_I8_ACTIVATION CK_ACTIVATION_I8_PAIRS
V_FN v_i32 v_dot_quads(v_i32 acc, v_quads w, v_quad x)
{
    return _mm256_add_epi32(acc, _mm256_madd_epi16(_mm256_maddubs_epi16(w, x), _mm256_set1_epi16(1)));
}
V_FN v_u4_sums v_u4_start(int32_t x_sum)
{
    return _mm256_mullo_epi16(_mm256_set1_epi32(x_sum), _mm256_set1_epi32((uint16_t)-CK_I4_ZERO));
}
V_FN v_u4_sums v_dot_u4(v_u4_sums acc, v_u4 w, v_quad x) { return _mm256_add_epi16(acc, _mm256_maddubs_epi16(w, x)); }
V_FN v_i32 v_u4_total(v_u4_sums acc) { return _mm256_madd_epi16(acc, _mm256_set1_epi16(1)); }
#endif
V_FN v_f32 v_quad_element(const void *p, int32_t j)
{
    const __m256i top = _mm256_sll_epi32(avx2_bytes_at(p), _mm_cvtsi32_si128(24 - 8 * j));
    return _mm256_cvtepi32_ps(_mm256_srai_epi32(top, 24));
}
V_FN v_f32 v_u4_element(const void *p, bool high, int32_t j)
{
    const __m256i shifted = _mm256_srl_epi32(avx2_bytes_at(p), _mm_cvtsi32_si128(8 * j + (high ? 4 : 0)));
    const __m256i u4 = _mm256_and_si256(shifted, _mm256_set1_epi32(15));
    return _mm256_cvtepi32_ps(_mm256_sub_epi32(u4, _mm256_set1_epi32(8)));
}
