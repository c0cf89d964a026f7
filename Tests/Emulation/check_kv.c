// Caches of every type, their layout spelled out once more; and the kernel that appends to them.
#include "check.h"

static size_t element_bytes(ck_kv_type type) { return type == CK_KV_F32 ? 4 : type == CK_KV_I8 ? 1 : 2; }

static int32_t columns_of(const ck_kv *kv, bool keys)
{
    return keys ? kv->head_size : (kv->head_size + 15) / 16 * 16;
}

static char *head_at(const ck_kv *kv, bool keys, int32_t page, int32_t head)
{
    const size_t scales = kv->type == CK_KV_I8 ? 128 : 0;
    const size_t bytes = scales + 32 * element_bytes(kv->type) * (size_t)columns_of(kv, keys);
    return (char *)(keys ? kv->k : kv->v) + (size_t)(page * kv->num_kv_heads + head) * bytes;
}

static char *element_at(const ck_kv *kv, bool keys, int32_t page, int32_t head, int32_t place, int32_t d)
{
    const int32_t index = keys ? d * 32 + place : place * columns_of(kv, keys) + d;
    return head_at(kv, keys, page, head) + (kv->type == CK_KV_I8 ? 128 : 0) +
           (size_t)index * element_bytes(kv->type);
}

static float *scale_at(const ck_kv *kv, bool keys, int32_t page, int32_t head, int32_t place)
{
    return (float *)head_at(kv, keys, page, head) + place;
}

// Powers of two and integers in double: nothing of the conversions under test.
static double f16_value(uint16_t h)
{
    const double sign = h & 0x8000 ? -1 : 1;
    const int32_t exponent = h >> 10 & 31, fraction = h & 1023;
    if (exponent == 31) return fraction ? NAN : sign * INFINITY;
    return sign * (exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24));
}

static double value_of(ck_kv_type type, const void *element)
{
    switch (type) {
    case CK_KV_F32: return *(const float *)element;
    case CK_KV_F16: return f16_value(*(const uint16_t *)element);
    case CK_KV_BF16: return check_bf16_value(*(const uint16_t *)element);
    case CK_KV_I8: return *(const signed char *)element;
    }
    return NAN;
}

ck_kv check_kv(ck_kv_type type, int32_t pages, int32_t heads, int32_t size)
{
    ck_kv kv = {.num_kv_heads = heads, .head_size = size, .type = type};
    kv.k = check_bytes((size_t)pages * ck_kv_k_page_bytes(type, heads, size), 64);
    kv.v = check_bytes((size_t)pages * ck_kv_v_page_bytes(type, heads, size), 64);
    return kv;
}

double check_kv_element(const ck_kv *kv, bool keys, int32_t page, int32_t head, int32_t place, int32_t d)
{
    const double x = value_of(kv->type, element_at(kv, keys, page, head, place, d));
    return kv->type == CK_KV_I8 ? x * *scale_at(kv, keys, page, head, place) : x;
}

static void fill(const ck_kv *kv, bool keys, int32_t page, int32_t head, int32_t place)
{
    for (int32_t d = 0; d < kv->head_size; d++) {
        char *element = element_at(kv, keys, page, head, place, d);
        const float x = check_uniform();
        switch (kv->type) {
        case CK_KV_F32: *(float *)element = x; break;
        case CK_KV_F16: *(uint16_t *)element = check_f16(x); break;
        case CK_KV_BF16: *(uint16_t *)element = check_bf16(x); break;
        case CK_KV_I8: *(signed char *)element = (signed char)(check_below(255) - 127); break;
        }
    }
    if (kv->type == CK_KV_I8) *scale_at(kv, keys, page, head, place) = (1.5f + check_uniform()) / 256;
}

void check_kv_fill(const ck_kv *kv, int32_t page, int32_t head, int32_t place)
{
    fill(kv, true, page, head, place);
    fill(kv, false, page, head, place);
}

void check_kv_poison_value(const ck_kv *kv, int32_t page, int32_t head, int32_t place)
{
    const size_t bytes = (size_t)columns_of(kv, false) * element_bytes(kv->type);
    memset(element_at(kv, false, page, head, place, 0), 0xff, bytes);
    if (kv->type == CK_KV_I8) *scale_at(kv, false, page, head, place) = NAN;
}

// Half the distance of neighbours at x.
static double rounding(ck_kv_type type, double x, double scale)
{
    switch (type) {
    case CK_KV_F32: return 0;
    case CK_KV_F16: return fmax(fabs(x), 0x1p-14) * 0x1p-11;
    case CK_KV_BF16: return fabs(x) * 0x1p-8;
    case CK_KV_I8: return scale * (0.5 + 127 * 4 * (double)FLT_EPSILON);
    }
    return NAN;
}

static void append_one(const check_case *c, ck_kv_type type, const float *x, int32_t count, int32_t stride)
{
    const size_t bytes = element_bytes(type), used = (size_t)((count - 1) * stride + 1);
    char *out = check_bytes(used * bytes, bytes);
    float *scale = type == CK_KV_I8 ? check_floats(1) : NULL;
    const ck_kv_head head = {x, count, type, out, (size_t)stride, scale};
    c->kernels->kv_append_head(&head);
    double most = 0;
    for (int32_t i = 0; i < count; i++) most = fmax(most, fabs(x[i]));
    if (scale) check_near(*scale, most / 127, most / 127 * (double)FLT_EPSILON, "scale", 0);
    for (size_t i = 0; i < used; i++) {
        if (i % (size_t)stride != 0) {
            for (size_t b = 0; b < bytes; b++)
                check(out[i * bytes + b] == (char)0xff, "element %zu was written", i);
            continue;
        }
        const double value = x[i / (size_t)stride], unit = scale ? *scale : 1;
        check_near(value_of(type, out + i * bytes) * unit, value, rounding(type, value, unit), "element",
                   (int64_t)i);
    }
}

// What is not finite, or too small to matter, is told from the rest of an int8 head by its scale.
static void check_special_heads(const check_case *c)
{
    const float special[] = {INFINITY, -INFINITY, NAN, 0x1p-101f};
    for (int k = 0; k < 4; k++) {
        float x[40] = {0};
        x[33] = special[k];
        signed char out[40];
        float scale = 7;
        c->kernels->kv_append_head(&(ck_kv_head){x, 40, CK_KV_I8, out, 1, &scale});
        check(k < 3 ? isnan(scale) : scale == 0, "scale is %g beside %g", scale, special[k]);
        for (int i = 0; i < 40; i++) check(out[i] == 0, "element %d is %d beside %g", i, out[i], special[k]);
        uint16_t halves[40];
        for (int type = CK_KV_F16; type <= CK_KV_BF16; type++) {
            c->kernels->kv_append_head(&(ck_kv_head){x, 40, (ck_kv_type)type, halves, 1, NULL});
            const double held = value_of((ck_kv_type)type, halves + 33);
            check(k == 2 ? isnan(held) : k < 2 ? held == special[k] : fabs(held) < 0x1p-100, "%g is held as %g",
                  special[k], held);
        }
    }
    const float large[] = {65519, 65520, -1e30f};
    uint16_t halves[3];
    c->kernels->kv_append_head(&(ck_kv_head){large, 3, CK_KV_F16, halves, 1, NULL});
    check(halves[0] == 0x7bff && halves[1] == 0x7c00 && halves[2] == 0xfc00, "f16 beyond its range");
    // Ties go to even integers.
    const float ties[] = {127, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -127};
    const signed char even[] = {127, 0, 2, 2, 0, -2, -127};
    signed char out[7];
    float scale;
    c->kernels->kv_append_head(&(ck_kv_head){ties, 7, CK_KV_I8, out, 1, &scale});
    check(scale == 1 && memcmp(out, even, sizeof even) == 0, "ties of int8");
}

void check_kv_append_head(const check_case *c)
{
    for (int type = 0; type < CK_KV_TYPE_COUNT; type++) {
        for (int i = 0; i < CHECK_SIZES; i++) {
            float *x = check_random((size_t)c->sizes[i]);
            for (int32_t d = 0; d < c->sizes[i]; d++) x[d] *= ldexpf(1, check_below(20) - 12);
            check_make_read_only(x);
            append_one(c, (ck_kv_type)type, x, c->sizes[i], 1);
            append_one(c, (ck_kv_type)type, x, c->sizes[i], CK_KV_PAGE);
            check_release();
        }
    }
    check_special_heads(c);
}
