#ifndef CK_BLOCKS_H
#define CK_BLOCKS_H

#include "../../include/ck_quant.h"
#include "../float_formats.h"

// Reading the blocks of ck_quant.h: `block` is at any alignment.

enum { SMALL_BLOCK = 32, SUPER_BLOCK = 256 };

static inline uint16_t read_u16(const uint8_t *bytes) { return (uint16_t)(bytes[0] | bytes[1] << 8); }

static inline uint32_t read_u32(const uint8_t *bytes)
{
    return (uint32_t)read_u16(bytes) | (uint32_t)read_u16(bytes + 2) << 16;
}

static inline float read_half(const uint8_t *bytes) { return ck_f16_to_f32(read_u16(bytes)); }

// Element i of 32: byte i % 16, low half for the first 16 elements.
static inline int32_t small_nibble(const uint8_t *pairs, int i) { return pairs[i % 16] >> (i / 16 * 4) & 15; }

// Scale and minimum of sub-block j of 8, six bits each in twelve bytes. The first four bytes hold scales 0...3 and the
// next four minima 0...3, in their low six bits; their high two bits belong to scales and minima 4...7, whose low four
// bits are the halves of the last four bytes.
static inline void scale_and_minimum(const uint8_t *packed, int j, int32_t *scale, int32_t *minimum)
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
static inline int32_t super_nibble(const uint8_t *pairs, int j, int l)
{
    return pairs[j / 2 * 32 + l] >> (j % 2 * 4) & 15;
}

// Element i of Q6_K, less 32. Each half of 128 elements has 64 bytes of low bits and 32 of high bits; element e of it
// takes byte e % 64 of the one, low half for the first 64, and two bits of byte e % 32 of the other, lowest first.
static inline int32_t six_bits(const uint8_t *block, int i)
{
    const int half = i / 128, e = i % 128;
    const int32_t low = block[half * 64 + e % 64] >> (e / 64 * 4) & 15;
    const int32_t high = block[128 + half * 32 + e % 32] >> (e / 32 * 2) & 3;
    return low + 16 * high - 32;
}

#endif
