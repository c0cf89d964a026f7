#ifndef CK_NORM_H
#define CK_NORM_H

#include "ck_context.h"

typedef struct ck_rms_norm_args {
    const float *x;          ///< [T, x_stride], E used
    size_t x_stride;
    const float *weight;     ///< [E]
    float eps;
    int32_t num_rows;        ///< T
    int32_t width;           ///< E
    float *out;              ///< [T, out_stride], E used
    size_t out_stride;
} ck_rms_norm_args;

/// Root mean square norm (Zhang and Sennrich, 2019): out[t, i] = x[t, i] / sqrt(mean of x[t]^2 + eps) *
/// weight[i].
///
/// Requires  E >= 1; mean + eps > 0.
/// Writes    E elements of each row of out, once.
/// Aliasing  out may be x (same stride); otherwise they do not overlap.
/// Numerics  squares are summed in one order that depends on E alone. |error| <= 6 eps * |out[t, i]| for E up
///           to 16,384 (measured: 3).
/// Threads   splits rows.
void ck_rms_norm(const ck_context *context, const ck_rms_norm_args *args);

typedef struct ck_add_rms_norm_args {
    float *residual;         ///< [T, residual_stride], E used
    size_t residual_stride;
    const float *delta;      ///< [T, delta_stride], E used
    size_t delta_stride;
    const float *weight;     ///< [E]
    float eps;
    int32_t num_rows;        ///< T
    int32_t width;           ///< E
    float *out;              ///< [T, out_stride], E used
    size_t out_stride;
} ck_add_rms_norm_args;

/// Residual connection and the norm of its sum in one pass: residual[t] += delta[t]; out[t] =
/// rms_norm(residual[t]).
///
/// Requires, Numerics, Threads  as ck_rms_norm, whose bits on the sum these are.
/// Writes    E elements of each row of residual and of out, once.
/// Aliasing  out may be delta (same stride); residual overlaps nothing.
void ck_add_rms_norm(const ck_context *context, const ck_add_rms_norm_args *args);

#endif
