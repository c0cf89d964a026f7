#include "../../include/ck_quant.h"
#include "../float_formats.h"

// A fused multiply and add would give other bits where the target has one.
#pragma clang fp contract(off)

enum { SMALL_BLOCK = 32, SUPER_BLOCK = 256 };

typedef struct block_size {
    uint16_t elements;
    uint16_t bytes;
} block_size;

static const block_size block_sizes[CK_BLOCK_FORMAT_COUNT] = {
    [CK_BLOCK_F32] = {1, 4},
    [CK_BLOCK_F16] = {1, 2},
    [CK_BLOCK_BF16] = {1, 2},
    [CK_BLOCK_Q8_0] = {SMALL_BLOCK, 2 + 32},
    [CK_BLOCK_Q4_0] = {SMALL_BLOCK, 2 + 16},
    [CK_BLOCK_Q4_1] = {SMALL_BLOCK, 2 + 2 + 16},
    [CK_BLOCK_Q5_0] = {SMALL_BLOCK, 2 + 4 + 16},
    [CK_BLOCK_Q5_1] = {SMALL_BLOCK, 2 + 2 + 4 + 16},
    [CK_BLOCK_Q4_K] = {SUPER_BLOCK, 2 + 2 + 12 + 128},
    [CK_BLOCK_Q5_K] = {SUPER_BLOCK, 2 + 2 + 12 + 32 + 128},
    [CK_BLOCK_Q6_K] = {SUPER_BLOCK, 128 + 64 + 16 + 2},
};

size_t ck_block_elements(ck_block_format format) { return block_sizes[format].elements; }

size_t ck_block_bytes(ck_block_format format) { return block_sizes[format].bytes; }

static uint16_t read_u16(const uint8_t *bytes) { return (uint16_t)(bytes[0] | bytes[1] << 8); }

static uint32_t read_u32(const uint8_t *bytes)
{
    return (uint32_t)read_u16(bytes) | (uint32_t)read_u16(bytes + 2) << 16;
}

static float read_half(const uint8_t *bytes) { return ck_f16_to_f32(read_u16(bytes)); }

// MARK: - Blocks of 32

static void q8_0(const uint8_t *block, float *out)
{
    const float d = read_half(block);
    for (int i = 0; i < SMALL_BLOCK; i++) out[i] = d * (float)(int8_t)block[2 + i];
}

// Element i of 32: byte i % 16, low half for the first 16 elements.
static int32_t small_nibble(const uint8_t *pairs, int i) { return pairs[i % 16] >> (i / 16 * 4) & 15; }

static void q4_0(const uint8_t *block, float *out)
{
    const float d = read_half(block);
    for (int i = 0; i < SMALL_BLOCK; i++) out[i] = d * (float)(small_nibble(block + 2, i) - 8);
}

static void q4_1(const uint8_t *block, float *out)
{
    const float d = read_half(block), m = read_half(block + 2);
    for (int i = 0; i < SMALL_BLOCK; i++) out[i] = d * (float)small_nibble(block + 4, i) + m;
}

static void q5_0(const uint8_t *block, float *out)
{
    const float d = read_half(block);
    const uint32_t high = read_u32(block + 2);
    for (int i = 0; i < SMALL_BLOCK; i++) {
        const int32_t q = small_nibble(block + 6, i) + 16 * (int32_t)(high >> i & 1);
        out[i] = d * (float)(q - 16);
    }
}

static void q5_1(const uint8_t *block, float *out)
{
    const float d = read_half(block), m = read_half(block + 2);
    const uint32_t high = read_u32(block + 4);
    for (int i = 0; i < SMALL_BLOCK; i++) {
        const int32_t q = small_nibble(block + 8, i) + 16 * (int32_t)(high >> i & 1);
        out[i] = d * (float)q + m;
    }
}

// MARK: - Blocks of 256

// Scale and minimum of sub-block j of 8, six bits each in twelve bytes. The first four bytes hold scales 0...3 and the
// next four minima 0...3, in their low six bits; their high two bits belong to scales and minima 4...7, whose low four
// bits are the halves of the last four bytes.
static void scale_and_minimum(const uint8_t *packed, int j, int32_t *scale, int32_t *minimum)
{
    if (j < 4) {
        *scale = packed[j] & 63;
        *minimum = packed[j + 4] & 63;
    } else {
        *scale = (packed[j + 4] & 15) | packed[j - 4] >> 6 << 4;
        *minimum = packed[j + 4] >> 4 | packed[j] >> 6 << 4;
    }
}

// Element l of sub-block j: 32 bytes serve two sub-blocks, the even one with their low halves.
static int32_t super_nibble(const uint8_t *pairs, int j, int l)
{
    return pairs[j / 2 * 32 + l] >> (j % 2 * 4) & 15;
}

// Q4_K, and with `high`, whose byte l has bit j for element l of sub-block j, Q5_K.
static void q4_k_or_q5_k(const uint8_t *block, const uint8_t *high, const uint8_t *pairs, float *out)
{
    const float d = read_half(block), dmin = read_half(block + 2);
    for (int j = 0; j < 8; j++) {
        int32_t s, t;
        scale_and_minimum(block + 4, j, &s, &t);
        const float scale = d * (float)s, minimum = dmin * (float)t;
        for (int l = 0; l < 32; l++) {
            int32_t q = super_nibble(pairs, j, l);
            if (high) q += 16 * (high[l] >> j & 1);
            out[j * 32 + l] = scale * (float)q - minimum;
        }
    }
}

static void q4_k(const uint8_t *block, float *out) { q4_k_or_q5_k(block, NULL, block + 16, out); }

static void q5_k(const uint8_t *block, float *out) { q4_k_or_q5_k(block, block + 16, block + 48, out); }

// Each half of 128 elements has 64 bytes of low bits and 32 of high bits; element e of it takes byte e % 64 of the one,
// low half for the first 64, and two bits of byte e % 32 of the other, lowest first.
static void q6_k(const uint8_t *block, float *out)
{
    const uint8_t *low = block, *high = block + 128, *scales = block + 192;
    const float d = read_half(block + 208);
    for (int i = 0; i < SUPER_BLOCK; i++) {
        const int half = i / 128, e = i % 128;
        const int32_t bits = low[half * 64 + e % 64] >> (e / 64 * 4) & 15;
        const int32_t top = high[half * 32 + e % 32] >> (e / 32 * 2) & 3;
        const float scale = d * (float)(int8_t)scales[i / 16];
        out[i] = scale * (float)(bits + 16 * top - 32);
    }
}

// MARK: - All formats

static void f32(const uint8_t *block, float *out) { *out = ck_float(read_u32(block)); }

static void f16(const uint8_t *block, float *out) { *out = read_half(block); }

static void bf16(const uint8_t *block, float *out) { *out = ck_bf16_to_f32(read_u16(block)); }

typedef void block_function(const uint8_t *block, float *out);

static block_function *const block_functions[CK_BLOCK_FORMAT_COUNT] = {
    [CK_BLOCK_F32] = f32,   [CK_BLOCK_F16] = f16,   [CK_BLOCK_BF16] = bf16, [CK_BLOCK_Q8_0] = q8_0,
    [CK_BLOCK_Q4_0] = q4_0, [CK_BLOCK_Q4_1] = q4_1, [CK_BLOCK_Q5_0] = q5_0, [CK_BLOCK_Q5_1] = q5_1,
    [CK_BLOCK_Q4_K] = q4_k, [CK_BLOCK_Q5_K] = q5_k, [CK_BLOCK_Q6_K] = q6_k,
};

void ck_dequantize(ck_block_format format, const void *blocks, size_t num_blocks, float *out)
{
    const uint8_t *block = blocks;
    const block_size size = block_sizes[format];
    block_function *const widen = block_functions[format];
    for (size_t b = 0; b < num_blocks; b++) widen(block + b * size.bytes, out + b * size.elements);
}
