#ifndef CK_ROPE_H
#define CK_ROPE_H

#include "ck_context.h"
#include "ck_kv.h"

// Rotary position embedding (Su et al., "RoFormer", 2021).

/// How wavelengths are stretched beyond the trained context.
typedef enum ck_rope_scaling {
    CK_ROPE_SCALING_NONE = 0,
    CK_ROPE_SCALING_LINEAR = 1,  ///< every frequency divided by factor (Chen et al., "Position Interpolation", 2023)
    CK_ROPE_SCALING_LLAMA3 = 2,  ///< long wavelengths divided by factor, short ones kept, blended between (Llama 3.1)
} ck_rope_scaling;

typedef struct ck_rope_frequency_args {
    int32_t head_size;                     ///< D, even
    double theta;                          ///< base of the wavelengths' geometric series
    ck_rope_scaling scaling;
    double factor;                         ///< LINEAR and LLAMA3
    double low_freq_factor;                ///< LLAMA3
    double high_freq_factor;               ///< LLAMA3; above low_freq_factor
    double original_max_position_embeddings;  ///< LLAMA3
} ck_rope_frequency_args;

/// Radians per position of each pair: inv_freq[i] = theta^(-2i / D), scaled. Shapes: inv_freq [D / 2].
///
/// Numerics  the steps and roundings of transformers' float32 computation, the power itself correctly
///           rounded: at large positions the roundings decide the angle, so a more exact value would be
///           further from the models.
void ck_rope_frequencies(const ck_rope_frequency_args *args, float *inv_freq);

/// Fills rows first_position...first_position + num_positions - 1 of the tables that ck_rope_append_f32
/// reads: row p holds the cosines and sines of p * inv_freq[i], the product in float.
///
/// Shapes    inv_freq [num_pairs]; cosines, sines [num_positions, num_pairs] (their row 0 is first_position)
/// Numerics  each the double-precision cosine or sine of the float angle, rounded once.
void ck_rope_table_fill(const float *inv_freq, int32_t num_pairs, int32_t first_position, int32_t num_positions,
                        float *cosines, float *sines);

/// Which elements of a head turn together.
typedef enum ck_rope_pairing {
    CK_ROPE_HALVES = 0,       ///< (i, i + D / 2): Hugging Face checkpoints
    CK_ROPE_INTERLEAVED = 1,  ///< (2i, 2i + 1): the original paper's, Meta's own Llama files
} ck_rope_pairing;

typedef struct ck_rope_append_args {
    float *qkv;                  ///< [T, qkv_stride]: H query heads at column 0, then keys and values
    size_t qkv_stride;
    size_t k_offset;             ///< first column of the Hkv key heads
    size_t v_offset;             ///< first column of the Hkv value heads
    int32_t num_heads;           ///< H
    const float *q_norm;         ///< [D] weight of the norm of each query head, or NULL for none
    const float *k_norm;         ///< [D] the same for key heads, or NULL
    float norm_eps;
    const float *cosines;        ///< [positions, D / 2]
    const float *sines;          ///< [positions, D / 2]
    ck_rope_pairing pairing;
    ck_ragged_batch batch;
    ck_kv kv;
} ck_rope_append_args;

/// Prepares attention: per row, norms query and key heads (where weights are given), turns both by the row's
/// position p, and appends key and value to the cache. With (a, b) a pair and c, s its cosine and sine at p:
///
///     a' = a * c - b * s      b' = b * c + a * s
///
/// Requires  D even; tables hold every position of the batch; the query, key and value columns do not
///           overlap.
/// Writes    query columns of qkv in place; key columns in place (the turned keys); keys and values at the
///           rows' positions of the cache, D columns each and their scales, and nothing else there.
/// Aliasing  qkv and the pools overlap nothing else.
/// Numerics  the norm is that of ck_rms_norm. |error| <= 2 eps * sqrt(a^2 + b^2) (measured: 1), or 6 eps of
///           it after a norm (measured: 2.9). Appended keys (those left in qkv) and values are copies, exact in f32,
///           else rounded as kv_append_head says: what a position holds depends on its own key and value alone.
/// Threads   splits rows.
void ck_rope_append_f32(const ck_context *context, const ck_rope_append_args *args);

#endif
