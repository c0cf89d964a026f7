#include "pack_int.h"
#include "int_panel.h"
#include "../float_formats.h"

#include <math.h>

static const float I8_MAX = 127, I4_MAX = 15;

static float clamp(float x, float low, float high) { return x < low ? low : x > high ? high : x; }

// Scale of the largest magnitude, as it is stored.
static uint16_t scale_i8(const float *weights)
{
    float most = 0;
    for (int32_t k = 0; k < CK_GROUP; k++) most = fmaxf(most, fabsf(weights[k]));
    return ck_f32_to_f16(most / I8_MAX);
}

static void quantize_i8(const float *weights, float scale, char *group, int32_t column)
{
    for (int32_t k = 0; k < CK_GROUP; k++) {
        const float q = scale == 0 ? 0 : clamp(rintf(weights[k] / scale), -I8_MAX, I8_MAX);
        group[ck_group_element_at(CK_WEIGHT_I8, k, column)] = (char)(int8_t)q;
    }
}

static int32_t nearest_i4(float weight, float inverse)
{
    return (int32_t)clamp(rintf(weight * inverse) + (float)CK_I4_ZERO, 0, I4_MAX);
}

static float squared_error_i4(const float *weights, float scale)
{
    const float inverse = 1 / scale;
    float sum = 0;
    for (int32_t k = 0; k < CK_GROUP; k++) {
        const float error = weights[k] - scale * (float)(nearest_i4(weights[k], inverse) - CK_I4_ZERO);
        sum += error * error;
    }
    return sum;
}

// The scale that maps the extreme weight to -8 uses all sixteen steps, but the extreme is often lonely: of that
// scale and some smaller ones the one with the least squared error.
static uint16_t scale_i4(const float *weights)
{
    static const float shares[] = {1.0f, 0.94f, 0.88f, 0.82f, 0.76f, 8.0f / 7.0f};
    float extreme = 0;
    for (int32_t k = 0; k < CK_GROUP; k++)
        if (fabsf(weights[k]) > fabsf(extreme)) extreme = weights[k];
    const float full = -extreme / (float)CK_I4_ZERO;
    uint16_t best = ck_f32_to_f16(full);
    float least = INFINITY;
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        const uint16_t candidate = ck_f32_to_f16(full * shares[i]);
        const float scale = ck_f16_to_f32(candidate);
        if (scale == 0 || !isfinite(scale)) continue;
        const float error = squared_error_i4(weights, scale);
        if (error < least) least = error, best = candidate;
    }
    return best;
}

static void quantize_i4(const float *weights, float scale, char *group, int32_t column)
{
    const float inverse = scale == 0 ? 0 : 1 / scale;
    for (int32_t k = 0; k < CK_GROUP / 2; k++) {
        const int32_t low = nearest_i4(weights[k], inverse), high = nearest_i4(weights[k + CK_GROUP / 2], inverse);
        group[ck_group_element_at(CK_WEIGHT_I4, k, column)] = (char)(uint8_t)(low | high << 4);
    }
}

bool ck_quantize_group(char *panel, ck_weight_type type, int32_t group, int32_t column, const float *weights)
{
    const uint16_t scale = type == CK_WEIGHT_I8 ? scale_i8(weights) : scale_i4(weights);
    const float value = ck_f16_to_f32(scale);
    if (!isfinite(value)) return false;
    memcpy(panel + ck_group_scales_at(type, group) + (size_t)column * sizeof scale, &scale, sizeof scale);
    char *integers = panel + ck_group_at(type, group);
    if (type == CK_WEIGHT_I8) quantize_i8(weights, value, integers, column);
    else quantize_i4(weights, value, integers, column);
    return true;
}

float ck_int_weight(const char *panel, ck_weight_type type, int32_t k, int32_t column)
{
    const int32_t group = k / CK_GROUP, within = k % CK_GROUP;
    uint16_t scale;
    memcpy(&scale, panel + ck_group_scales_at(type, group) + (size_t)column * sizeof scale, sizeof scale);
    const uint8_t byte = (uint8_t)panel[ck_group_at(type, group) + ck_group_element_at(type, within, column)];
    if (type == CK_WEIGHT_I8) return ck_f16_to_f32(scale) * (float)(int8_t)byte;
    return ck_f16_to_f32(scale) * (float)((within < CK_GROUP / 2 ? byte & 15 : byte >> 4) - CK_I4_ZERO);
}
