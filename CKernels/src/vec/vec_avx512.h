// AVX-512 (F, BW, DQ, VL): 16 floats, a panel's row in one register, 32 registers.
#define V_LANES 16
#define V_ACCUMULATORS 24
#define V_TILE_ROWS 12          // 12 rows x 32 columns = 24 accumulators
#define V_TILE_NARROW_ROWS 4
#define V_TILE_NARROW_PANELS 4  // 4 x 64 = 16
#define V_TILE_SINGLE_PANELS 4
#define V_TILE_PANELS 2
#define V_PINNED_BLOCKS "linear_pinned_avx512.h"

typedef __m512 v_f32;
typedef __mmask16 v_mask;
#define V_FN static inline __attribute__((always_inline))

V_FN __mmask16 avx512_lane_mask(int32_t n) { return (__mmask16)((1u << n) - 1); }
V_FN v_f32 v_zero(void) { return _mm512_setzero_ps(); }
V_FN v_f32 v_set1(float x) { return _mm512_set1_ps(x); }
V_FN v_f32 v_load(const float *p) { return _mm512_loadu_ps(p); }
V_FN void v_store(float *p, v_f32 v) { _mm512_storeu_ps(p, v); }
V_FN v_f32 v_load_n(const float *p, int32_t n) { return _mm512_maskz_loadu_ps(avx512_lane_mask(n), p); }
V_FN void v_store_n(float *p, v_f32 v, int32_t n) { _mm512_mask_storeu_ps(p, avx512_lane_mask(n), v); }
V_FN v_f32 v_add(v_f32 a, v_f32 b) { return _mm512_add_ps(a, b); }
V_FN v_f32 v_sub(v_f32 a, v_f32 b) { return _mm512_sub_ps(a, b); }
V_FN v_f32 v_mul(v_f32 a, v_f32 b) { return _mm512_mul_ps(a, b); }
V_FN v_f32 v_div(v_f32 a, v_f32 b) { return _mm512_div_ps(a, b); }
V_FN v_f32 v_max(v_f32 a, v_f32 b) { return _mm512_max_ps(a, b); }
V_FN v_f32 v_min(v_f32 a, v_f32 b) { return _mm512_min_ps(a, b); }
V_FN v_f32 v_fma(v_f32 a, v_f32 b, v_f32 c) { return _mm512_fmadd_ps(a, b, c); }
V_FN v_f32 v_round(v_f32 x)
{
    return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
V_FN v_f32 v_exp2i(v_f32 n)
{
    __m512i biased = _mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127));
    return _mm512_castsi512_ps(_mm512_slli_epi32(biased, 23));
}
V_FN v_mask v_less(v_f32 a, v_f32 b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
V_FN v_f32 v_select(v_mask m, v_f32 if_set, v_f32 if_clear) { return _mm512_mask_blend_ps(m, if_clear, if_set); }
V_FN float v_reduce_add(v_f32 v) { return _mm512_reduce_add_ps(v); }
V_FN float v_reduce_max(v_f32 v) { return _mm512_reduce_max_ps(v); }
V_FN v_f32 v_load_f16(const uint16_t *p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p)); }
V_FN v_f32 v_load_bf16(const uint16_t *p)
{
    const __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}
V_FN v_f32 v_load_i8(const int8_t *p)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p)));
}
V_FN v_f32 v_bf16_even(const uint16_t *pairs)
{
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_loadu_si512(pairs), 16));
}
V_FN v_f32 v_bf16_odd(const uint16_t *pairs)
{
    __m512i high = _mm512_set1_epi32((int32_t)0xffff0000);
    return _mm512_castsi512_ps(_mm512_and_si512(_mm512_loadu_si512(pairs), high));
}
