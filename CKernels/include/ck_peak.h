#ifndef CK_PEAK_H
#define CK_PEAK_H

#include <stdint.h>

/// Most values that a kernel of chains keeps.
enum { CK_CHAINS_MAX = 384 };

/// Independent chains of multiply-adds in registers, as many as linear layers keep accumulators: what the
/// instruction gives when nothing waits for memory, so the measure of an arithmetic-bound kernel.
///
///     multiply_add_chains_f32    value = value * 0.5 + 1, `turns` times
///     multiply_add_chains_bf16   value = value + 0.5 * 1 + 0.5 * 1 of bf16 pairs, `turns` times, where the instruction
///                                set has a dot product of pairs; the chains of f32 where it has none
///     multiply_add_chains_i8     value = value + 4, `turns` times, by dot products of quads of int8
///     multiply_add_chains_i4     the same of quads of u4 by int8
///
/// Shapes    values [CK_CHAINS_MAX]
/// Writes    values [0, count); count; operations, a multiplication or an addition each
typedef struct ck_chains {
    float *values;
    int64_t turns;
    int32_t count;
    int64_t operations;
} ck_chains;

#endif
