#ifndef CK_KERNEL_TABLE_H
#define CK_KERNEL_TABLE_H

#include "ck_attention.h"
#include "ck_linear.h"
#include "ck_memory.h"
#include "ck_norm.h"
#include "ck_peak.h"
#include "ck_rope.h"
#include "ck_sampling.h"

/// Product of a few rows with a few panels.
///
///     out[r, c] = sum over k of x[r, k] * panel[c / 16][k][c % 16],  ascending k, one accumulator
///
/// Shapes    x [num_rows, x_stride] of float, or of bf16 (linear_tile_bf16_bf16x: depth rounded up to even,
///           the odd element zero), or of int8 (the _i8x rows: depth rounded up to whole groups, zeros beyond it) with
///           x_scales [num_rows, ceil(depth / CK_GROUP)] and x_sums [num_rows, the same, 2] as of i8_round_row, with
///           bounded pairs where weights are bytes and the table's i8_activation is CK_ACTIVATION_I8_PAIRS; out
///           [num_rows, out_stride], 16 * num_panels columns
/// Requires  1 <= num_rows <= CK_TILE_ROWS_MAX, 1 <= num_panels <= CK_TILE_PANELS_MAX, depth >= 1,
///           panels 64-byte aligned, panel_stride_bytes apart
/// Numerics  bits of out[r, c] depend on row r and column c alone.
typedef struct ck_linear_tile {
    const void *x;
    size_t x_stride;             ///< elements
    const float *x_scales;       ///< of int8 rows only
    const int32_t *x_sums;       ///< of int8 rows only
    const void *panels;
    size_t panel_stride_bytes;
    float *out;
    size_t out_stride;
    int32_t num_rows;
    int32_t num_panels;
    int32_t depth;
} ck_linear_tile;

/// Finishes a tile: adds bias, applies the epilogue, stores.
///
/// Shapes    product [num_rows, product_stride], `count` columns in use; bias [count] or NULL;
///           out [num_rows, out_stride]; for SWIGLU product and bias hold 16 gate columns, 16 up columns, and
///           so on: count counts outputs, so 2 * count rounded up to 32 are there.
typedef struct ck_epilogue_tile {
    const float *product;
    size_t product_stride;
    const float *bias;
    float *out;
    size_t out_stride;
    int32_t num_rows;
    int32_t count;
    ck_epilogue epilogue;
} ck_epilogue_tile;

/// Rounds a row to int8, to nearest, ties to even: x ~ out * scale of its group.
///
/// Shapes    x [count]; out [count rounded up to whole groups], zeros beyond count; scales, sums
///           [ceil(count / CK_GROUP)], two sums a group: of all of it and of its first half
/// Numerics  scale = max |x| of the group / 127, out = x * (127 / max |x|) rounded, sums those of out: the same bits on
///           every instruction set. A group below 2^-100 is zero; the scale of one with infinity or NaN is NaN.
///           With bounds_pairs, the largest |x[2i] / 2| + |x[2i + 1] / 2| takes the place of max |x|, and 63.5 that of
///           127: then |out[2i]| + |out[2i + 1]| <= 128.
typedef struct ck_i8_row {
    const float *x;
    int32_t count;
    bool bounds_pairs;
    int8_t *out;
    float *scales;
    int32_t *sums;
} ck_i8_row;

/// One row of a norm, with the residual connection before it where delta is given.
///
///     y = delta ? x + delta : x      sum = y (only with delta)
///     out = y / sqrt(mean of y^2 + eps) * weight
///
/// Shapes    all [count]
/// Aliasing  out and sum may each be x or delta; they do not overlap each other.
typedef struct ck_rms_norm_row {
    const float *x;
    const float *delta;
    float *sum;
    const float *weight;
    float *out;
    float eps;
    int32_t count;
} ck_rms_norm_row;

/// Turns the pairs of one head in place; see ck_rope_append_f32.
///
/// Shapes    x [2 * num_pairs]; cosines, sines [num_pairs]
typedef struct ck_rope_head {
    float *x;
    const float *cosines;
    const float *sines;
    int32_t num_pairs;
    ck_rope_pairing pairing;
} ck_rope_head;

/// Puts one head's key or value where the cache wants it, rounded to nearest, ties to even.
///
///     out[i * out_stride] ~ x[i], or x[i] / *scale for CK_KV_I8
///
/// Shapes    x [count]; scale one float, of CK_KV_I8 only
/// Writes    those elements and the scale, nothing between them.
/// Numerics  the same bits on every instruction set, NaN's payload excepted. CK_KV_F16: magnitudes from 65520 on
///           become infinity. CK_KV_I8: *scale = max |x| / 127, elements x * (127 / max |x|) rounded: |error| <= *scale
///           / 2 and some eps of it. A head below 2^-100 is zero; of one with infinity or NaN the scale is NaN, the
///           elements zero.
typedef struct ck_kv_head {
    const float *x;
    int32_t count;
    ck_kv_type type;
    void *out;
    size_t out_stride;           ///< elements
    float *scale;
} ck_kv_head;

/// Most rows (tokens x heads of one group) of an attention tile.
enum { CK_ATTENTION_ROWS_MAX = 32 };

/// A partial softmax is a record of floats: Dv weighted sums of values, the maximum score, the sum of weights
/// (weight = exp(score - maximum)), and room up to 16 elements more than Dv. The sum of weights is 0 when,
/// and only when, nothing was visible.
enum { CK_PARTIAL_MAXIMUM = 0, CK_PARTIAL_SUM = 1, CK_PARTIAL_EXTRA = 16 };

/// Partial softmaxes of neighbouring tokens, over heads of one group, over the positions begin...end - 1 of
/// one split.
///
/// Row m = token m / num_heads, head m % num_heads; token i sits at first_position + i and sees what
/// ck_attention_f32 says, within begin...end - 1.
///
/// Shapes    q [num_tokens * num_heads, D] packed and scaled; partials [num_tokens * num_heads,
///           partial_stride]; scores [num_tokens * num_heads, CK_ATTENTION_BLOCK] and widened
///           [ck_attention_widened_elements(D)], work space, the latter not used by attention_tile_f32
/// Requires  1 <= num_tokens * num_heads <= CK_ATTENTION_ROWS_MAX; begin a multiple of CK_ATTENTION_SPLIT; the
///           cache is of the kernel's type
/// Numerics  the bits of a row's partial depend on that row, its position and the keys and values it sees.
typedef struct ck_attention_tile {
    const float *q;
    const ck_kv *kv;
    const int32_t *pages;        ///< the slot's row of the page table
    int32_t kv_head;
    int32_t num_tokens;
    int32_t num_heads;
    int32_t first_position;
    int32_t window;
    int32_t begin, end;
    const uint8_t *mask;         ///< of the first token, or NULL
    size_t mask_stride;
    float *scores;
    float *widened;
    float *partials;
    size_t partial_stride;
} ck_attention_tile;

/// Floats of an attention tile's `widened`.
size_t ck_attention_widened_elements(int32_t head_size);

/// A run of whole blocks of a row of logits; the last may be short. logit_scan_blocks_f32: block_value[b] =
/// largest logit of block b, NaN left out, and is_valid = none is NaN or +infinity. logit_weight_blocks_f32:
/// as ck_logit_weights, block_value[b] = sum of block b.
///
/// Shapes    logits [count], weights [count] or NULL, block_value [ceil(count / CK_LOGIT_BLOCK)]
/// Numerics  a block's bits depend on the block alone.
typedef struct ck_logit_blocks {
    const float *logits;
    int32_t count;
    float max;
    float temperature;
    float *weights;
    float *block_value;
    bool is_valid;
} ck_logit_blocks;

// memory_sum_u32: *sum = sum of words[i] modulo 2^32 over i < count; words at their natural alignment. Lines
// beyond the last word may be prefetched, never read.

/// One instruction set's micro-kernels. Every pointer is set in every table.
typedef struct ck_kernel_table {
    ck_isa isa;
    int32_t vector_lanes;         ///< floats in a register: tests take their edge sizes from it
    /// What linear_tile cuts panels into best: multiples of this.
    int32_t (*linear_tile_panels)(ck_weight_type type, int32_t num_rows);
    ck_activation bf16_activation;  ///< what its bf16 instructions want
    ck_activation i8_activation;  ///< what its products of bytes want: CK_ACTIVATION_I8 or CK_ACTIVATION_I8_PAIRS
#define CK_KERNEL(name, parameters) void(*name) parameters;
#include "kernels.def"
#undef CK_KERNEL
} ck_kernel_table;

/// The table of `isa`, or NULL where this build or this machine has none.
const ck_kernel_table *ck_kernels(ck_isa isa);

/// Names of the rows of the list, in order, ended by NULL.
const char *const *ck_kernel_names(void);

#endif
