// Micro-kernel that puts a key or a value into the cache. Elements are rounded some at a time and then laid out, at
// any stride.

enum { APPEND_ELEMENTS = 32 };

// As integers magnitudes are in order, infinity and NaN above all others.
V_INLINE uint32_t append_greatest(const float *x, int32_t count)
{
    uint32_t most = 0;
    for (int32_t i = 0; i < count; i++) {
        const uint32_t magnitude = ck_bits(x[i]) & 0x7fffffff;
        most = magnitude > most ? magnitude : most;
    }
    return most;
}

V_INLINE void append_f32(const ck_kv_head *head)
{
    float *out = head->out;
    for (int32_t i = 0; i < head->count; i++) out[(size_t)i * head->out_stride] = head->x[i];
}

V_INLINE void append_half(const ck_kv_head *head, const ck_kv_type type)
{
    uint16_t *out = head->out, rounded[APPEND_ELEMENTS];
    for (int32_t first = 0; first < head->count; first += APPEND_ELEMENTS) {
        const int32_t left = head->count - first, count = left < APPEND_ELEMENTS ? left : APPEND_ELEMENTS;
        for (int32_t i = 0; i < count; i++)
            rounded[i] = type == CK_KV_F16 ? ck_f32_to_f16(head->x[first + i]) : ck_f32_to_bf16(head->x[first + i]);
        for (int32_t i = 0; i < count; i++) out[(size_t)(first + i) * head->out_stride] = rounded[i];
    }
}

V_INLINE void append_i8(const ck_kv_head *head)
{
    const uint32_t most = append_greatest(head->x, head->count);
    const bool is_finite = most < 0x7f800000, is_zero = most < ck_bits(0x1p-100f);
    const float inverse = is_finite && !is_zero ? 127 / ck_float(most) : 0;
    int8_t *out = head->out, rounded[APPEND_ELEMENTS];
    for (int32_t first = 0; first < head->count; first += APPEND_ELEMENTS) {
        const int32_t left = head->count - first, count = left < APPEND_ELEMENTS ? left : APPEND_ELEMENTS;
        for (int32_t i = 0; i < count; i++)
            rounded[i] = (int8_t)(is_finite ? (int32_t)__builtin_rintf(head->x[first + i] * inverse) : 0);
        for (int32_t i = 0; i < count; i++) out[(size_t)(first + i) * head->out_stride] = rounded[i];
    }
    *head->scale = is_zero ? 0 : is_finite ? ck_float(most) / 127 : __builtin_nanf("");
}

CK_LINKAGE void CK_ISA_FN(kv_append_head)(const ck_kv_head *head)
{
    switch (head->type) {
    case CK_KV_F32: append_f32(head); break;
    case CK_KV_F16: append_half(head, CK_KV_F16); break;
    case CK_KV_BF16: append_half(head, CK_KV_BF16); break;
    case CK_KV_I8: append_i8(head); break;
    }
}
