#include "pack_int.h"
#include "int_panel.h"
#include "../float_formats.h"

#include <math.h>

static const float I8_MAX = 127, I4_MAX = 15;

// Rounds to nearest, ties to even, magnitudes below 2^22: where the sum's last bit is worth 1. rintf would be a call.
static float nearest(float x) { return (x + 0x1.8p23f) - 0x1.8p23f; }

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
        const float q = scale == 0 ? 0 : nearest(clamp(weights[k] / scale, -I8_MAX, I8_MAX));
        group[ck_group_element_at(CK_WEIGHT_I8, k, column)] = (char)(int8_t)q;
    }
}

static int32_t nearest_i4(float weight, float inverse)
{
    return (int32_t)nearest(clamp(weight * inverse, -(float)CK_I4_ZERO, I4_MAX - (float)CK_I4_ZERO)) + CK_I4_ZERO;
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

static void write_integers(char *integers, ck_weight_type type, int32_t column, const int16_t *q)
{
    const int32_t zero = type == CK_WEIGHT_I4 ? CK_I4_ZERO : type == CK_WEIGHT_I8A ? CK_I8A_ZERO : 0;
    if (!ck_is_nibble_type(type)) {
        for (int32_t k = 0; k < CK_GROUP; k++)
            integers[ck_group_element_at(type, k, column)] = (char)(int8_t)(q[k] + zero);
        return;
    }
    for (int32_t k = 0; k < CK_GROUP / 2; k++) {
        const int32_t low = q[k] + zero, high = q[k + CK_GROUP / 2] + zero;
        integers[ck_group_element_at(type, k, column)] = (char)(uint8_t)(low | high << 4);
    }
}

// Whether x is a binary16, which then is at `out`.
static bool write_half(char *out, float x)
{
    const uint16_t half = ck_f32_to_f16(x);
    memcpy(out, &half, sizeof half);
    return isfinite(x) && ck_f16_to_f32(half) == x;
}

bool ck_write_group(char *panel, ck_weight_type type, int32_t group, int32_t column, const ck_int_group *from)
{
    char *scales = panel + ck_group_scales_at(type, group) + (size_t)column * sizeof(uint16_t);
    write_integers(panel + ck_group_at(type, group), type, column, from->q);
    bool is_exact = write_half(scales, from->scale);
    if (!ck_is_run_type(type)) return is_exact;
    is_exact &= write_half(scales + CK_GROUP_SCALES_BYTES, from->second);
    char *factors = panel + ck_run_at(type, group) + (size_t)column * sizeof(float);
    memcpy(factors, &from->factor, sizeof(float));
    memcpy(factors + CK_SCALES_BYTES, &from->second_factor, sizeof(float));
    return is_exact && isfinite(from->factor) && isfinite(from->second_factor);
}

static float read_half(const char *at)
{
    uint16_t half;
    memcpy(&half, at, sizeof half);
    return ck_f16_to_f32(half);
}

static float run_scale(const char *panel, ck_weight_type type, int32_t group, int32_t column, bool is_second)
{
    const char *factors = panel + ck_run_at(type, group) + (is_second ? CK_SCALES_BYTES : 0);
    const char *scales = panel + ck_group_scales_at(type, group) + (is_second ? CK_GROUP_SCALES_BYTES : 0);
    float factor;
    memcpy(&factor, factors + (size_t)column * sizeof factor, sizeof factor);
    return factor * read_half(scales + (size_t)column * sizeof(uint16_t));
}

float ck_int_weight(const char *panel, ck_weight_type type, int32_t k, int32_t column)
{
    const int32_t group = k / CK_GROUP, within = k % CK_GROUP;
    const bool is_second_half = within >= CK_GROUP / 2;
    const uint8_t byte = (uint8_t)panel[ck_group_at(type, group) + ck_group_element_at(type, within, column)];
    const float q = (float)(ck_is_nibble_type(type) ? is_second_half ? byte >> 4 : byte & 15 : (int8_t)byte);
    switch (type) {
    case CK_WEIGHT_I8A:
        return fmaf(q - (float)CK_I8A_ZERO, run_scale(panel, type, group, column, false),
                    run_scale(panel, type, group, column, true));
    case CK_WEIGHT_I4A:
        return fmaf(q, run_scale(panel, type, group, column, false), run_scale(panel, type, group, column, true));
    case CK_WEIGHT_I8H: return q * run_scale(panel, type, group, column, is_second_half);
    default: break;
    }
    const float scale = read_half(panel + ck_group_scales_at(type, group) + (size_t)column * sizeof(uint16_t));
    return scale * (type == CK_WEIGHT_I4 ? q - (float)CK_I4_ZERO : q);
}
