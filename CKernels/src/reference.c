#include "../include/ck_reference.h"
#include "float_formats.h"

#include <math.h>

// Sums must not depend on whether the target fuses multiply and add.
#pragma clang fp contract(off)

float ck_reference_to_f32(const void *source, ck_weight_type type, size_t index)
{
    switch (type) {
    case CK_WEIGHT_F32: return ((const float *)source)[index];
    case CK_WEIGHT_F16: return ck_f16_to_f32(((const uint16_t *)source)[index]);
    case CK_WEIGHT_BF16: return ck_bf16_to_f32(((const uint16_t *)source)[index]);
    default: return NAN;
    }
}

// As ck_linear.h lays the panels out, worked out anew.
static double packed_int(const char *panel, ck_weight_type type, int32_t k, int32_t column)
{
    const int32_t bytes = type == CK_WEIGHT_I8 ? 512 : 256, group = k / 32, i = k % 32;
    const char *pair = panel + (size_t)(group / 2) * (size_t)(64 + 2 * bytes);
    const double scale = ck_f16_to_f32(((const uint16_t *)pair)[group % 2 * 16 + column]);
    const char *integers = pair + 64 + (size_t)(group % 2) * (size_t)bytes;
    if (type == CK_WEIGHT_I8) return scale * (signed char)integers[(i / 4 * 16 + column) * 4 + i % 4];
    const int byte = (unsigned char)integers[(i % 16 / 4 * 16 + column) * 4 + i % 4];
    return scale * ((i < 16 ? byte % 16 : byte / 16) - 8);
}

// Of the run types likewise.
static double packed_in_runs(const char *panel, ck_weight_type type, int32_t k, int32_t column)
{
    const size_t bytes = type == CK_WEIGHT_I4A ? 256 : 512, group = (size_t)k / 32, i = (size_t)k % 32;
    const char *run = panel + group / 8 * (128 + 8 * (64 + bytes));
    const float *factors = (const float *)run;
    const uint16_t *scales = (const uint16_t *)(run + 128 + group % 8 * (64 + bytes));
    const unsigned char *integers = (const unsigned char *)(scales + 32);
    const double first = (float)(factors[column] * ck_f16_to_f32(scales[column]));
    const double second = (float)(factors[16 + column] * ck_f16_to_f32(scales[16 + column]));
    if (type == CK_WEIGHT_I4A) {
        const int byte = integers[(i % 16 / 4 * 16 + (size_t)column) * 4 + i % 4];
        return first * (i < 16 ? byte % 16 : byte / 16) + second;
    }
    const int q = (signed char)integers[(i / 4 * 16 + (size_t)column) * 4 + i % 4];
    return type == CK_WEIGHT_I8A ? first * (q + 128) + second : (i < 16 ? first : second) * q;
}

// x[t, k] as an int8 times the scale of its group.
static double rounded_to_int8(const float *x, int32_t num_inputs, int32_t k, bool bounds_pairs)
{
    float most = 0, pair = 0;
    for (int32_t i = k / 32 * 32; i < k / 32 * 32 + 32 && i < num_inputs; i++) {
        if (!isfinite(x[i])) return NAN;
        most = fmaxf(most, fabsf(x[i]));
        const float next = i + 1 < num_inputs ? fabsf(x[i + 1]) : 0;
        if (i % 2 == 0) pair = fmaxf(pair, 0.5f * fabsf(x[i]) + 0.5f * next);
    }
    const float extreme = bounds_pairs ? pair : most, steps = bounds_pairs ? 63.5f : 127;
    if (extreme < 0x1p-100f) return 0;
    return (double)rintf(x[k] * (steps / extreme)) * (double)(extreme / steps);
}

static double packed_weight(const ck_linear_args *args, int32_t n, int32_t k)
{
    const char *panel = (const char *)args->panels + (size_t)(n / 16) * ck_panel_bytes(args->type, args->num_inputs);
    if (args->type >= CK_WEIGHT_I8A) return packed_in_runs(panel, args->type, k, n % 16);
    if (args->type >= CK_WEIGHT_I8) return packed_int(panel, args->type, k, n % 16);
    size_t index = args->type == CK_WEIGHT_BF16 ? ((size_t)(k / 2) * 16 + (size_t)(n % 16)) * 2 + (size_t)(k % 2)
                                                : (size_t)k * 16 + (size_t)(n % 16);
    return ck_reference_to_f32(panel, args->type, index);
}

static double product(const ck_linear_args *args, int32_t t, int32_t n)
{
    double sum = 0;
    for (int32_t k = 0; k < args->num_inputs; k++) {
        const float *row = args->x + (size_t)t * args->x_stride;
        double x = row[k];
        if (args->activation == CK_ACTIVATION_BF16 && args->type == CK_WEIGHT_BF16)
            x = ck_bf16_to_f32(ck_f32_to_bf16(row[k]));
        if (args->activation >= CK_ACTIVATION_I8)
            x = rounded_to_int8(row, args->num_inputs, k, args->activation == CK_ACTIVATION_I8_PAIRS);
        sum += x * packed_weight(args, n, k);
    }
    return args->bias ? sum + args->bias[n] : sum;
}

void ck_reference_linear(const ck_linear_args *args)
{
    for (int32_t t = 0; t < args->num_rows; t++) {
        float *out = args->out + (size_t)t * args->out_stride;
        if (args->epilogue == CK_EPILOGUE_SWIGLU) {
            for (int32_t i = 0; i < args->num_outputs / 2; i++) {
                double gate = product(args, t, i / 16 * 32 + i % 16), up = product(args, t, i / 16 * 32 + 16 + i % 16);
                out[i] = (float)(gate / (1.0 + exp(-gate)) * up);
            }
            continue;
        }
        for (int32_t n = 0; n < args->num_outputs; n++) {
            double y = product(args, t, n);
            out[n] = (float)(args->epilogue == CK_EPILOGUE_ADD ? out[n] + y : y);
        }
    }
}

uint32_t ck_reference_memory_sum(const uint32_t *words, size_t count)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < count; i++) sum += words[i];
    return sum;
}
