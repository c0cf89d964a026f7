#ifndef CK_ATTENTION_H
#define CK_ATTENTION_H

#include "ck_context.h"
#include "ck_kv.h"

/// Keys of one online-softmax block, and of one independent partial softmax. Both sit at absolute positions
/// (multiples of these), so what a row computes never depends on where a chunk of its prompt began.
enum { CK_ATTENTION_BLOCK = 128, CK_ATTENTION_SPLIT = 512 };

typedef struct ck_attention_args {
    const float *q;              ///< [T, q_stride]: H heads of D columns, turned; may lie in a qkv buffer
    size_t q_stride;
    int32_t num_heads;           ///< H, a multiple of Hkv
    float scale;                 ///< usually 1 / sqrt(D)
    int32_t window;              ///< positions a row sees, its own included; 0 for all
    const uint8_t *mask;         ///< [T, mask_stride], nonzero where row t may see position j; or NULL
    size_t mask_stride;          ///< at least the greatest kv_length
    ck_ragged_batch batch;
    ck_kv kv;
    float *out;                  ///< [T, out_stride]: H heads of D columns
    size_t out_stride;
    void *scratch;               ///< ck_attention_scratch_bytes bytes, 64-byte aligned
} ck_attention_args;

/// Causal grouped-query attention of one step over ragged paged caches, one layer; decode rows and prefill
/// rows alike.
///
/// Row t at position p (see ck_ragged_batch) sees the positions j in lo...p, lo = max(0, p - window + 1) or 0
/// when window is 0, for which mask[t, j] is nonzero or mask is NULL. With g = h / (H / Hkv):
///
///     w[j]      = softmax over visible j of  scale * dot(q[t, h], k[g, j])
///     out[t, h] = sum over visible j of  w[j] * v[g, j]          zeros when nothing is visible
///
/// k and v are what the cache's elements stand for, widened to float without rounding; a scale multiplies the sum of
/// a score, and the weight of a value.
///
/// Requires  keys and values of this step's rows are in the cache already (ck_rope_append_f32 ran first).
/// Reads     whole pages of positions lo...kv_length[s] - 1 of the listed slots; positions above p and below
///           lo, and padding, may hold anything, NaN included, and never reach out. Values that only the mask
///           hides must be finite.
/// Writes    H * D columns of each row of out, once. Nothing else but scratch.
/// Aliasing  out and scratch overlap nothing else.
/// Scratch   contents undefined before and after.
/// Numerics  float accumulation in ascending position; softmax with a running maximum over blocks, partial
///           softmaxes of CK_ATTENTION_SPLIT keys merged in ascending order, whatever the type of the cache.
///           With v the greatest |v[g, j]| and s the greatest scale * sum over d of |q[t, h, d] * k[g, j, d]|
///           among the visible positions: |error| <= 8 (1 + s) * eps * v (measured: 1.3). A row's bits depend
///           on its own sequence alone: not on the other rows of its chunk, S, T, slots, page numbers or the
///           number of threads.
/// Threads   share (sequence, key/value head, rows, split) units as they become free.
void ck_attention_f32(const ck_context *context, const ck_attention_args *args);

/// The most an attention call will be asked for.
typedef struct ck_attention_limits {
    int32_t num_rows;            ///< T
    int32_t num_sequences;       ///< S
    int32_t kv_length;           ///< of the longest sequence
    int32_t num_heads;           ///< H
    int32_t num_kv_heads;        ///< Hkv
    int32_t head_size;           ///< D
} ck_attention_limits;

/// Scratch that any call within `limits` can do with on this context.
size_t ck_attention_scratch_bytes(const ck_context *context, const ck_attention_limits *limits);

#endif
