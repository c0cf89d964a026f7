// Vector operations shared by all instruction sets, over the primitives that each vec_<isa>.h defines:
//
//   v_f32, V_LANES          a register of floats
//   v_zero v_set1           constants
//   v_load v_store          any alignment
//   v_load_n v_store_n      the first n < V_LANES elements; nothing else is touched, the rest reads as zero
//   v_add v_sub v_mul v_div v_max v_min v_fma(a, b, c) = a * b + c
//                           v_max and v_min return their second operand when either is NaN
//   v_round                 to nearest integral value
//   v_exp2i(n)              2^n for integral n in -126...127
//   v_reduce_add v_reduce_max   over the lanes, in one fixed order
//   v_load_f16              V_LANES halves as floats
//   v_load_bf16             V_LANES bf16 as floats
//   v_load_i8               V_LANES bytes as floats
//   v_bf16_even v_bf16_odd  V_LANES pairs of bf16: the first, the second of each pair as floats
//   v_less(a, b)            lanes as a mask for v_select(mask, if_set, if_clear)
//
// Every function is static and always inlined: none may be shared between instruction sets.

#define V_PER_PANEL (CK_PANEL_COLUMNS / V_LANES)
#define V_INLINE static inline __attribute__((always_inline))

V_INLINE v_f32 v_exp_polynomial(v_f32 r)
{
    v_f32 p = v_set1(1.0f / 720.0f);
    p = v_fma(p, r, v_set1(1.0f / 120.0f));
    p = v_fma(p, r, v_set1(1.0f / 24.0f));
    p = v_fma(p, r, v_set1(1.0f / 6.0f));
    p = v_fma(p, r, v_set1(0.5f));
    p = v_fma(p, r, v_set1(1.0f));
    p = v_fma(p, r, v_set1(1.0f));
    return p;
}

// e^x. Argument reduction by Cody and Waite's two-part ln 2, then the degree 6 Taylor-like minimax polynomial on
// |r| <= ln(2)/2 with error below 2 ulp; 0 below -87.3 (where results would be denormal), infinity above 88.7.
// NaN stays NaN.
V_INLINE v_f32 v_exp(v_f32 x)
{
    const v_f32 lowest = v_set1(-87.3365447f), highest = v_set1(88.7228394f);
    v_f32 clamped = v_min(highest, v_max(lowest, x));
    v_f32 n = v_round(v_mul(clamped, v_set1(1.44269504f)));
    v_f32 r = v_fma(n, v_set1(-0.693359375f), clamped);
    r = v_fma(n, v_set1(2.12194440e-4f), r);
    v_f32 p = v_exp_polynomial(r);
    // n may be 128: two halves keep each power of two representable.
    v_f32 half = v_round(v_mul(n, v_set1(0.5f)));
    v_f32 result = v_mul(v_mul(p, v_exp2i(half)), v_exp2i(v_sub(n, half)));
    result = v_select(v_less(x, lowest), v_zero(), result);
    return v_select(v_less(highest, x), v_set1(__builtin_inff()), result);
}

// e^x for x <= 0, as v_exp but with one power of two: it is never above 1. Weights of a softmax are these.
V_INLINE v_f32 v_exp_nonpositive(v_f32 x)
{
    const v_f32 lowest = v_set1(-87.3365447f);
    v_f32 clamped = v_max(lowest, x);
    v_f32 n = v_round(v_mul(clamped, v_set1(1.44269504f)));
    v_f32 r = v_fma(n, v_set1(-0.693359375f), clamped);
    r = v_fma(n, v_set1(2.12194440e-4f), r);
    return v_select(v_less(x, lowest), v_zero(), v_mul(v_exp_polynomial(r), v_exp2i(n)));
}

V_INLINE v_f32 v_load_tail(const float *p, int32_t count)
{
    return count >= V_LANES ? v_load(p) : v_load_n(p, count);
}

V_INLINE void v_store_tail(float *p, v_f32 v, int32_t count)
{
    if (count >= V_LANES) v_store(p, v);
    else v_store_n(p, v, count);
}
