#ifndef CK_FLOAT_FORMATS_H
#define CK_FLOAT_FORMATS_H

#include <stdint.h>
#include <string.h>

// Scalar conversions between binary32, binary16 (IEEE 754) and bfloat16 (the upper half of binary32). Narrowing
// rounds to nearest, ties to even; overflow gives infinity; NaN stays NaN.

static inline uint32_t ck_bits(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float ck_float(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline float ck_bf16_to_f32(uint16_t h) { return ck_float((uint32_t)h << 16); }

static inline uint16_t ck_f32_to_bf16(float x)
{
    uint32_t bits = ck_bits(x);
    if ((bits & 0x7fffffff) > 0x7f800000) return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static inline float ck_f16_to_f32(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 0x1f, fraction = h & 0x3ff;
    if (exponent == 0) {
        // Denormal: the fraction counts units of 2^-24, exact in binary32.
        float magnitude = (float)fraction * 0x1p-24f;
        return ck_float(ck_bits(magnitude) | sign);
    }
    if (exponent == 31) return ck_float(sign | 0x7f800000 | fraction << 13);
    return ck_float(sign | (exponent + 112) << 23 | fraction << 13);
}

static inline uint16_t ck_f32_to_f16(float x)
{
    uint32_t bits = ck_bits(x), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000) return (uint16_t)(sign | 0x7e00);
    if (magnitude >= 0x477ff000) return (uint16_t)(sign | 0x7c00);  // 65520 rounds to infinity
    if (magnitude < 0x38800000) {
        // Below 2^-14 the unit is 2^-24, which is also that of 0.5: adding 0.5 rounds there, as the processor does.
        return (uint16_t)(sign | (ck_bits(ck_float(magnitude) + 0.5f) - 0x3f000000));
    }
    uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
    return (uint16_t)(sign | (rounded - 0x38000000) >> 13);
}

#endif
