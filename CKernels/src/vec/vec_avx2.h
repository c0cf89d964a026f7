// AVX2 with FMA and F16C: 8 floats. Zen 3 and Haswell alike start two FMAs a cycle, four or five deep, so eight to
// ten accumulators keep them busy; 16 registers allow 12 beside two weights and a broadcast.
#define V_LANES 8
#define V_ACCUMULATORS 12
#define V_TILE_ROWS 6           // 6 rows x 16 columns = 12 accumulators
#define V_TILE_NARROW_ROWS 2    // up to here two panels at once: with pairs, 3 x 32 would spill
#define V_TILE_NARROW_PANELS 2
#define V_TILE_SINGLE_PANELS 4  // one row: 4 panels = 8 accumulators
#define V_TILE_PANELS 1
#define V_TILE_SPLIT_ROWS 4     // 4 rows x 24 columns = 12 accumulators: one and a half of three panels
#define V_TILE_SPLIT_PANELS 3
#define V_PINNED_BLOCKS "linear_pinned_avx2.h"

typedef __m256 v_f32;
typedef __m256 v_mask;
#define V_FN static inline __attribute__((always_inline))

V_FN __m256i avx2_lane_mask(int32_t n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
V_FN v_f32 v_zero(void) { return _mm256_setzero_ps(); }
V_FN v_f32 v_set1(float x) { return _mm256_set1_ps(x); }
V_FN v_f32 v_load(const float *p) { return _mm256_loadu_ps(p); }
V_FN void v_store(float *p, v_f32 v) { _mm256_storeu_ps(p, v); }
V_FN v_f32 v_load_n(const float *p, int32_t n) { return _mm256_maskload_ps(p, avx2_lane_mask(n)); }
V_FN void v_store_n(float *p, v_f32 v, int32_t n) { _mm256_maskstore_ps(p, avx2_lane_mask(n), v); }
V_FN v_f32 v_add(v_f32 a, v_f32 b) { return _mm256_add_ps(a, b); }
V_FN v_f32 v_sub(v_f32 a, v_f32 b) { return _mm256_sub_ps(a, b); }
V_FN v_f32 v_mul(v_f32 a, v_f32 b) { return _mm256_mul_ps(a, b); }
V_FN v_f32 v_div(v_f32 a, v_f32 b) { return _mm256_div_ps(a, b); }
V_FN v_f32 v_max(v_f32 a, v_f32 b) { return _mm256_max_ps(a, b); }
V_FN v_f32 v_min(v_f32 a, v_f32 b) { return _mm256_min_ps(a, b); }
V_FN v_f32 v_fma(v_f32 a, v_f32 b, v_f32 c) { return _mm256_fmadd_ps(a, b, c); }
V_FN v_f32 v_round(v_f32 x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
V_FN v_f32 v_exp2i(v_f32 n)
{
    __m256i biased = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
    return _mm256_castsi256_ps(_mm256_slli_epi32(biased, 23));
}
V_FN v_mask v_less(v_f32 a, v_f32 b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
V_FN v_f32 v_select(v_mask m, v_f32 if_set, v_f32 if_clear) { return _mm256_blendv_ps(if_clear, if_set, m); }
V_FN float v_reduce_add(v_f32 v)
{
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
V_FN float v_reduce_max(v_f32 v)
{
    __m128 s = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    s = _mm_max_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}
V_FN v_f32 v_load_f16(const uint16_t *p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }
V_FN v_f32 v_load_bf16(const uint16_t *p)
{
    const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p));
    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
}
V_FN v_f32 v_load_i8(const int8_t *p)
{
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)p)));
}
V_FN v_f32 v_bf16_even(const uint16_t *pairs)
{
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_loadu_si256((const __m256i *)pairs), 16));
}
V_FN v_f32 v_bf16_odd(const uint16_t *pairs)
{
    return _mm256_and_ps(_mm256_loadu_ps((const float *)pairs),
                         _mm256_castsi256_ps(_mm256_set1_epi32((int32_t)0xffff0000)));
}
