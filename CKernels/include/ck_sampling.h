#ifndef CK_SAMPLING_H
#define CK_SAMPLING_H

#include "ck_context.h"

// The passes over one row of V logits that drawing a token takes. A row is cut into blocks of CK_LOGIT_BLOCK; both ops
// leave a number for each block, so that what follows (selection, the draw) looks into few of them.

enum { CK_LOGIT_BLOCK = 128 };

typedef struct ck_logit_scan_args {
    const float *logits;         ///< [V]
    int32_t count;               ///< V, at least 1
    float *block_max;            ///< [ceil(V / CK_LOGIT_BLOCK)]
} ck_logit_scan_args;

typedef struct ck_logit_scan_result {
    float max;
    int32_t argmax;              ///< the lowest index whose logit equals max
    bool is_valid;               ///< no NaN, no +infinity, and max is finite; the rest is undefined when not
} ck_logit_scan_result;

/// The largest logit of each block and of the row, and whether a token can be drawn from it.
///
/// Writes    every element of block_max, once.
/// Numerics  exact.
/// Threads   split blocks.
ck_logit_scan_result ck_logit_scan(const ck_context *context, const ck_logit_scan_args *args);

typedef struct ck_logit_weights_args {
    const float *logits;         ///< [V]
    int32_t count;               ///< V, at least 1
    float max;                   ///< the largest logit, finite
    float temperature;           ///< above 0
    float *weights;              ///< [V], or NULL when only sums are wanted
    float *block_sum;            ///< [ceil(V / CK_LOGIT_BLOCK)]
} ck_logit_weights_args;

/// weights[i] = exp((logits[i] - max) / temperature), and their sums. Returns the sum over the row.
///
/// Requires  no logit is NaN or above max.
/// Writes    every element of weights and of block_sum, once.
/// Aliasing  weights may be logits; otherwise nothing overlaps.
/// Numerics  a weight is exactly 1 at the maximum, and 0 below e^-87.3. With x the exact exponent, its relative error
///           is below (|x| + 4) * 2^-23. Blocks are summed in float lanes, over at most CK_LOGIT_BLOCK / 4 additions,
///           and block sums in double, ascending. Bits do not depend on the number of threads.
/// Threads   split blocks.
double ck_logit_weights(const ck_context *context, const ck_logit_weights_args *args);

#endif
