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
    }
    return NAN;
}

static double packed_weight(const ck_linear_args *args, int32_t n, int32_t k)
{
    const char *panel = (const char *)args->panels + (size_t)(n / 16) * ck_panel_bytes(args->type, args->num_inputs);
    size_t index = args->type == CK_WEIGHT_BF16 ? ((size_t)(k / 2) * 16 + (size_t)(n % 16)) * 2 + (size_t)(k % 2)
                                                : (size_t)k * 16 + (size_t)(n % 16);
    return ck_reference_to_f32(panel, args->type, index);
}

static double product(const ck_linear_args *args, int32_t t, int32_t n)
{
    double sum = 0;
    for (int32_t k = 0; k < args->num_inputs; k++) {
        float x = args->x[(size_t)t * args->x_stride + (size_t)k];
        if (args->activation == CK_ACTIVATION_BF16 && args->type == CK_WEIGHT_BF16)
            x = ck_bf16_to_f32(ck_f32_to_bf16(x));
        sum += (double)x * packed_weight(args, n, k);
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
