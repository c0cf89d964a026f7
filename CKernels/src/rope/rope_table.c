#include "../../include/ck_rope.h"

#include <math.h>

// Products and sums round where they stand, as the tensor operations they follow do.
#pragma clang fp contract(off)

// Llama 3.1's rule (transformers, _compute_llama3_parameters): wavelengths above the trained context over
// low_freq_factor are divided, those below it over high_freq_factor are kept, and between the two blended.
static float llama3_frequency(const ck_rope_frequency_args *args, float frequency)
{
    const double context = args->original_max_position_embeddings;
    const double low = args->low_freq_factor, high = args->high_freq_factor;
    // A tensor library divides a number by a tensor as reciprocal, then product.
    const float wavelength = 1.0f / frequency * (float)(2.0 * 3.14159265358979323846);
    if (wavelength > (float)(context / low)) return frequency / (float)args->factor;
    if (wavelength < (float)(context / high)) return frequency;
    const float smooth = (1.0f / wavelength * (float)context - (float)low) / (float)(high - low);
    return (1.0f - smooth) * frequency / (float)args->factor + smooth * frequency;
}

void ck_rope_frequencies(const ck_rope_frequency_args *args, float *inv_freq)
{
    for (int32_t i = 0; i < args->head_size / 2; i++) {
        const float exponent = (float)(2 * i) / (float)args->head_size;
        const float frequency = 1.0f / (float)pow((double)(float)args->theta, (double)exponent);
        switch (args->scaling) {
        case CK_ROPE_SCALING_NONE: inv_freq[i] = frequency; break;
        case CK_ROPE_SCALING_LINEAR: inv_freq[i] = frequency / (float)args->factor; break;
        case CK_ROPE_SCALING_LLAMA3: inv_freq[i] = llama3_frequency(args, frequency); break;
        }
    }
}

void ck_rope_table_fill(const float *inv_freq, int32_t num_pairs, int32_t first_position, int32_t num_positions,
                        float *cosines, float *sines)
{
    for (int32_t p = 0; p < num_positions; p++) {
        for (int32_t i = 0; i < num_pairs; i++) {
            const float angle = (float)(first_position + p) * inv_freq[i];
            const size_t at = (size_t)p * (size_t)num_pairs + (size_t)i;
            cosines[at] = (float)cos((double)angle);
            sines[at] = (float)sin((double)angle);
        }
    }
}
