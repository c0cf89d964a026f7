// Products of bytes, one by one.
#define V_INT_ACCUMULATORS 8
#define V_INT_ROWS 2
#define V_INT_PANELS 1
#define V_INT_NARROW_ROWS 1
#define V_INT_NARROW_PANELS 1
#define V_INT_SINGLE_PANELS 1
#define V_I8_ACTIVATION CK_ACTIVATION_I8
#define V_QUADS_OFFSET 0

typedef int32_t v_i32 __attribute__((vector_size(16)));
typedef v_i32 v_u4_sums;
typedef struct v_quads {
    int8_t bytes[16];
} v_quads, v_quad, v_u4;

V_FN v_i32 v_i32_set1(int32_t x) { return (v_i32){x, x, x, x}; }
V_FN v_i32 v_i32_zero(void) { return v_i32_set1(0); }
V_FN v_i32 v_i32_sub(v_i32 a, v_i32 b) { return a - b; }
V_FN v_f32 v_i32_to_f32(v_i32 a) { return __builtin_convertvector(a, v_f32); }
V_FN v_quads v_load_quads(const void *p)
{
    v_quads w;
    memcpy(&w, p, sizeof w);
    return w;
}
V_FN v_quad v_set1_quad(const int8_t *p)
{
    v_quad x;
    for (int32_t i = 0; i < 16; i++) x.bytes[i] = p[i % 4];
    return x;
}
V_FN v_i32 v_dot_quads(v_i32 acc, v_quads w, v_quad x)
{
    for (int32_t i = 0; i < 16; i++) acc[i / 4] += w.bytes[i] * x.bytes[i];
    return acc;
}
V_FN v_u4 v_u4_low(const void *p)
{
    v_u4 w = v_load_quads(p);
    for (int32_t i = 0; i < 16; i++) w.bytes[i] &= 15;
    return w;
}
V_FN v_u4 v_u4_high(const void *p)
{
    v_u4 w = v_load_quads(p);
    for (int32_t i = 0; i < 16; i++) w.bytes[i] = (int8_t)((uint8_t)w.bytes[i] >> 4);
    return w;
}
V_FN v_u4_sums v_u4_zero(void) { return v_i32_zero(); }
V_FN v_u4_sums v_u4_start(int32_t x_sum) { return v_i32_set1(-CK_I4_ZERO * x_sum); }
V_FN v_u4_sums v_dot_u4(v_u4_sums acc, v_u4 w, v_quad x) { return v_dot_quads(acc, w, x); }
V_FN v_i32 v_u4_total(v_u4_sums acc) { return acc; }
V_FN v_f32 v_quad_element(const void *p, int32_t j)
{
    const int8_t *bytes = p;
    return (v_f32){bytes[j], bytes[j + 4], bytes[j + 8], bytes[j + 12]};
}
V_FN v_f32 v_u4_element(const void *p, bool high, int32_t j)
{
    const v_u4 w = high ? v_u4_high(p) : v_u4_low(p);
    return (v_f32){w.bytes[j] - 8, w.bytes[j + 4] - 8, w.bytes[j + 8] - 8, w.bytes[j + 12] - 8};
}
