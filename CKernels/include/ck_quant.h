#ifndef CK_QUANT_H
#define CK_QUANT_H

#include "ck_linear.h"

/// How a file stores elements: a block of them at a time, small integers beside a scale. The layouts are those
/// of GGUF files (https://github.com/ggml-org/ggml, ggml-common.h).
typedef enum ck_block_format {
    CK_BLOCK_F32 = 0,
    CK_BLOCK_F16 = 1,
    CK_BLOCK_BF16 = 2,
    CK_BLOCK_Q8_0 = 3,
    CK_BLOCK_Q4_0 = 4,
    CK_BLOCK_Q4_1 = 5,
    CK_BLOCK_Q5_0 = 6,
    CK_BLOCK_Q5_1 = 7,
    CK_BLOCK_Q4_K = 8,
    CK_BLOCK_Q5_K = 9,
    CK_BLOCK_Q6_K = 10,
    CK_BLOCK_FORMAT_COUNT = 11,
} ck_block_format;

// Blocks, in the order of their bytes; d, m and dmin are binary16, everything is little-endian. u4(i) is element i's
// low four bits, u1(i) and u2(i) its high bits; scales s and minima t have six bits, those of Q6_K eight and a sign.
//
//     format  elements  bytes                                         element i
//     Q8_0    32        d, 32 int8 q                                  d * q(i)
//     Q4_0    32        d, 16 u4 pairs                                d * (u4(i) - 8)
//     Q4_1    32        d, m, 16 u4 pairs                             d * u4(i) + m
//     Q5_0    32        d, 4 u1, 16 u4 pairs                          d * (u4(i) + 16 u1(i) - 16)
//     Q5_1    32        d, m, 4 u1, 16 u4 pairs                       d * (u4(i) + 16 u1(i)) + m
//     Q4_K    256       d, dmin, 12 s and t, 128 u4 pairs             (d s) * u4(i) - (dmin t)
//     Q5_K    256       d, dmin, 12 s and t, 32 u1, 128 u4 pairs      (d s) * (u4(i) + 16 u1(i)) - (dmin t)
//     Q6_K    256       128 u4 pairs, 64 u2, 16 int8 s, d             (d s) * (u4(i) + 16 u2(i) - 32)
//
// Q4_K and Q5_K have one s and t for 32 elements, Q6_K one s for 16.

/// Elements of one block: 1 for the float formats.
size_t ck_block_elements(ck_block_format format);

/// Bytes of one block.
size_t ck_block_bytes(ck_block_format format);

/// Widens blocks to floats.
///
/// Shapes    blocks [num_blocks * ck_block_bytes], any alignment; out [num_blocks * ck_block_elements]
/// Writes    every element of out, once
/// Aliasing  none
/// Numerics  the maths above in float, each operation rounded once and none fused: the same bits on every
///           processor, but for those of a NaN. Scales may be infinite or NaN, and elements then are too.
/// Threads   one; may run at once on other blocks
void ck_dequantize(ck_block_format format, const void *blocks, size_t num_blocks, float *out);

/// The panel type that holds blocks of `format` without loss.
ck_weight_type ck_block_weight_type(ck_block_format format);

/// Where the panels of a source go: as in ck_pack_args.
typedef struct ck_pack_place {
    void *panels;
    int32_t num_inputs;   ///< K
    int32_t num_outputs;  ///< N
    int32_t first_panel;
    int32_t panel_step;
} ck_pack_place;

typedef struct ck_pack_blocks_args {
    const void *blocks;      ///< [N, K / elements of a block], any alignment; K a multiple of that
    ck_block_format format;  ///< none of the float formats
    ck_pack_place place;
} ck_pack_blocks_args;

/// Packs blocks as they are into panels of ck_block_weight_type: each weight is the float that ck_dequantize makes.
///
/// Writes    as ck_pack_linear
/// Returns   -1, or the index (row * K + column) of the first weight of a group whose scales are not finite. The panels
///           are then of no use.
/// Threads   as ck_pack_linear
int64_t ck_pack_blocks(const ck_context *context, const ck_pack_blocks_args *args);

/// Integers in groups with a scale and a minimum each, weight = scale * q + minimum, each number apart: the format of
/// MLX's affine quantization (https://github.com/ml-explore/mlx, quantize).
typedef struct ck_affine {
    const void *integers;       ///< [N, K * bits / 8] bytes, the first of two halves low; any alignment, as all three
    const void *scales;         ///< [N, K / group_size] of scale_type
    const void *minima;         ///< the same
    ck_weight_type scale_type;  ///< F16, BF16 or F32
    int32_t bits;               ///< 4 or 8
    int32_t group_size;         ///< 32, 64, 128 or 256; K is a multiple
} ck_affine;

/// Widens [N, K] weights to floats: out[n, k] = fma(q, scale, minimum). One thread.
void ck_dequantize_affine(const ck_affine *source, int32_t num_inputs, int32_t num_outputs, float *out);

typedef struct ck_pack_affine_args {
    ck_affine source;
    ck_pack_place place;
} ck_pack_affine_args;

/// The panel type of integers of 4 or 8 bits with a scale and a minimum.
ck_weight_type ck_affine_weight_type(int32_t bits);

/// Packs affine groups as they are: each weight is the float that ck_dequantize_affine makes.
///
/// Returns   as ck_pack_blocks, also for a group whose scale or minimum cannot be held: one of more than 11 bits, or
///           2^29 times smaller than another of the same row and run of CK_RUN groups.
int64_t ck_pack_affine(const ck_context *context, const ck_pack_affine_args *args);

#endif
