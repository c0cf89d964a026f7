#include "blocks.h"

// A fused multiply and add would give other bits where the target has one.
#pragma clang fp contract(off)

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

// MARK: - Blocks of 32

static void q8_0(const uint8_t *block, float *out)
{
    const float d = read_half(block);
    for (int i = 0; i < SMALL_BLOCK; i++) out[i] = d * (float)(int8_t)block[2 + i];
}

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

static void q6_k(const uint8_t *block, float *out)
{
    const uint8_t *scales = block + 192;
    const float d = read_half(block + 208);
    for (int i = 0; i < SUPER_BLOCK; i++) {
        const float scale = d * (float)(int8_t)scales[i / 16];
        out[i] = scale * (float)six_bits(block, i);
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
