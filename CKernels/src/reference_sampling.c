#include "../include/ck_reference.h"

#include <math.h>

// Sums must not depend on whether the target fuses multiply and add.
#pragma clang fp contract(off)

ck_logit_scan_result ck_reference_logit_scan(const ck_logit_scan_args *args)
{
    ck_logit_scan_result result = {.max = -INFINITY, .is_valid = true};
    for (int32_t i = 0; i < args->count; i++) {
        float *block = &args->block_max[i / CK_LOGIT_BLOCK];
        if (i % CK_LOGIT_BLOCK == 0 || args->logits[i] > *block) *block = args->logits[i];
        if (isnan(args->logits[i]) || args->logits[i] == INFINITY) result.is_valid = false;
        if (args->logits[i] > result.max) {
            result.max = args->logits[i];
            result.argmax = i;
        }
    }
    result.is_valid = result.is_valid && isfinite(result.max);
    return result;
}

double ck_reference_logit_weights(const ck_logit_weights_args *args)
{
    double sum = 0, block = 0;
    for (int32_t i = 0; i < args->count; i++) {
        if (i % CK_LOGIT_BLOCK == 0) block = 0;
        double weight = exp(((double)args->logits[i] - args->max) / args->temperature);
        block += weight;
        sum += weight;
        args->block_sum[i / CK_LOGIT_BLOCK] = (float)block;
        if (args->weights) args->weights[i] = (float)weight;
    }
    return sum;
}
