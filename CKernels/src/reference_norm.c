#include "../include/ck_reference.h"

#include <math.h>

// Sums must not depend on whether the target fuses multiply and add.
#pragma clang fp contract(off)

static void norm_row(const float *x, const float *weight, float eps, int32_t width, float *out)
{
    double sum = 0;
    for (int32_t i = 0; i < width; i++) sum += (double)x[i] * x[i];
    const double root = sqrt(sum / width + eps);
    for (int32_t i = 0; i < width; i++) out[i] = (float)(x[i] / root * weight[i]);
}

void ck_reference_rms_norm(const ck_rms_norm_args *args)
{
    for (int32_t t = 0; t < args->num_rows; t++)
        norm_row(args->x + (size_t)t * args->x_stride, args->weight, args->eps, args->width,
                 args->out + (size_t)t * args->out_stride);
}

void ck_reference_add_rms_norm(const ck_add_rms_norm_args *args)
{
    for (int32_t t = 0; t < args->num_rows; t++) {
        float *residual = args->residual + (size_t)t * args->residual_stride;
        const float *delta = args->delta + (size_t)t * args->delta_stride;
        for (int32_t i = 0; i < args->width; i++) residual[i] += delta[i];
        norm_row(residual, args->weight, args->eps, args->width, args->out + (size_t)t * args->out_stride);
    }
}
