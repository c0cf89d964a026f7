// Four floats in the compiler's own vector type: whatever the target's baseline is, with no intrinsics.
#define V_LANES 4
#define V_ACCUMULATORS 8
#define V_TILE_ROWS 2
#define V_TILE_NARROW_ROWS 1
#define V_TILE_NARROW_PANELS 1
#define V_TILE_SINGLE_PANELS 1
#define V_TILE_PANELS 1

typedef float v_f32 __attribute__((vector_size(16)));
typedef int32_t v_mask __attribute__((vector_size(16)));
#define V_FN static inline __attribute__((always_inline))

V_FN v_f32 v_set1(float x) { return (v_f32){x, x, x, x}; }
V_FN v_f32 v_zero(void) { return v_set1(0); }
V_FN v_f32 v_load(const float *p)
{
    v_f32 v;
    memcpy(&v, p, sizeof v);
    return v;
}
V_FN void v_store(float *p, v_f32 v) { memcpy(p, &v, sizeof v); }
V_FN v_f32 v_load_n(const float *p, int32_t n)
{
    v_f32 v = v_zero();
    for (int32_t i = 0; i < n; i++) v[i] = p[i];
    return v;
}
V_FN void v_store_n(float *p, v_f32 v, int32_t n)
{
    for (int32_t i = 0; i < n; i++) p[i] = v[i];
}
V_FN v_f32 v_add(v_f32 a, v_f32 b) { return a + b; }
V_FN v_f32 v_sub(v_f32 a, v_f32 b) { return a - b; }
V_FN v_f32 v_mul(v_f32 a, v_f32 b) { return a * b; }
V_FN v_f32 v_div(v_f32 a, v_f32 b) { return a / b; }
V_FN v_mask v_less(v_f32 a, v_f32 b) { return (v_mask)(a < b); }
V_FN v_f32 v_select(v_mask m, v_f32 if_set, v_f32 if_clear)
{
    return (v_f32)(((v_mask)if_set & m) | ((v_mask)if_clear & ~m));
}
V_FN v_f32 v_max(v_f32 a, v_f32 b) { return v_select((v_mask)(a > b), a, b); }
V_FN v_f32 v_min(v_f32 a, v_f32 b) { return v_select((v_mask)(a < b), a, b); }
V_FN v_f32 v_fma(v_f32 a, v_f32 b, v_f32 c) { return a * b + c; }
// Adding and taking away 1.5 * 2^23 leaves the nearest integral value of anything below 2^22 in size.
V_FN v_f32 v_round(v_f32 x)
{
    const v_f32 shift = v_set1(12582912.0f);
    return (x + shift) - shift;
}
V_FN v_f32 v_exp2i(v_f32 n)
{
    v_mask bits;
    for (int32_t i = 0; i < 4; i++) bits[i] = n[i] == n[i] ? (int32_t)((uint32_t)((int32_t)n[i] + 127) << 23) : 0;
    return (v_f32)bits;
}
V_FN float v_reduce_add(v_f32 v) { return (v[0] + v[2]) + (v[1] + v[3]); }
V_FN float v_reduce_max(v_f32 v)
{
    float low = v[0] > v[2] ? v[0] : v[2], high = v[1] > v[3] ? v[1] : v[3];
    return low > high ? low : high;
}
V_FN v_f32 v_load_f16(const uint16_t *p)
{
    v_f32 v;
    for (int32_t i = 0; i < 4; i++) v[i] = ck_f16_to_f32(p[i]);
    return v;
}
V_FN v_f32 v_load_bf16(const uint16_t *p)
{
    v_f32 v;
    for (int32_t i = 0; i < 4; i++) v[i] = ck_bf16_to_f32(p[i]);
    return v;
}
V_FN v_f32 v_load_i8(const int8_t *p) { return (v_f32){p[0], p[1], p[2], p[3]}; }
V_FN v_f32 v_bf16_even(const uint16_t *pairs)
{
    v_f32 v;
    for (int32_t i = 0; i < 4; i++) v[i] = ck_bf16_to_f32(pairs[2 * i]);
    return v;
}
V_FN v_f32 v_bf16_odd(const uint16_t *pairs)
{
    v_f32 v;
    for (int32_t i = 0; i < 4; i++) v[i] = ck_bf16_to_f32(pairs[2 * i + 1]);
    return v;
}
