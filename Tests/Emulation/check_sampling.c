// Micro-kernels over blocks of logits, and the ops that share the blocks out.
#include "check.h"

static int32_t block_count(int32_t count) { return (count + CK_LOGIT_BLOCK - 1) / CK_LOGIT_BLOCK; }

static float *make_logits(int32_t count, float scale)
{
    float *logits = check_random((size_t)count);
    for (int32_t i = 0; i < count; i++) logits[i] *= scale;
    return logits;
}

static void check_scan(const check_case *c, int32_t count, float bad)
{
    float *logits = make_logits(count, 20), *expected = check_floats((size_t)block_count(count));
    ck_logit_scan_result result = ck_reference_logit_scan(
        &(ck_logit_scan_args){.logits = logits, .count = count, .block_max = expected});
    check(result.is_valid, "%d random logits are refused", count);
    const int32_t at = check_below(count);
    if (bad != 0) logits[at] = bad;
    check_make_read_only(logits);
    ck_logit_blocks blocks = {.logits = logits, .count = count};
    blocks.block_value = check_floats((size_t)block_count(count));
    c->kernels->logit_scan_blocks_f32(&blocks);
    check(blocks.is_valid == (bad == 0), "%g at %d of %d: valid is %d", bad, at, count, blocks.is_valid);
    if (bad == 0) check_same_bits(blocks.block_value, expected, (size_t)block_count(count), "block maximum");
    check_release();
}

void check_logit_scan_blocks_f32(const check_case *c)
{
    const float bad[] = {0, NAN, -NAN, INFINITY};
    for (int s = 0; s <= CHECK_SIZES; s++) {
        const int32_t count = s < CHECK_SIZES ? c->sizes[s] : 3 * CK_LOGIT_BLOCK + 1;
        for (int b = 0; b < 4; b++) check_scan(c, count, bad[b]);
    }
}

static void check_weights(const check_case *c, int32_t count, float temperature, bool stores)
{
    float *logits = make_logits(count, 20);
    float max = -INFINITY;
    for (int32_t i = 0; i < count; i++) max = fmaxf(max, logits[i]);
    check_make_read_only(logits);
    ck_logit_blocks blocks = {.logits = logits, .count = count, .max = max, .temperature = temperature};
    blocks.block_value = check_floats((size_t)block_count(count));
    blocks.weights = stores ? check_floats((size_t)count) : NULL;
    c->kernels->logit_weight_blocks_f32(&blocks);
    double sum = 0;
    for (int32_t i = 0; i < count; i++) {
        const double exponent = ((double)logits[i] - max) / temperature, expected = exp(exponent);
        const double bound = (fabs(exponent) + 4) * FLT_EPSILON * expected + FLT_MIN;
        if (stores) check_near(blocks.weights[i], expected, bound, "weight", i);
        if (stores && logits[i] == max) check(blocks.weights[i] == 1, "largest weighs %g", blocks.weights[i]);
        sum = i % CK_LOGIT_BLOCK == 0 ? expected : sum + expected;
        if (i % CK_LOGIT_BLOCK == CK_LOGIT_BLOCK - 1 || i == count - 1)
            check_near(blocks.block_value[i / CK_LOGIT_BLOCK], sum, 2e-5 * sum + CK_LOGIT_BLOCK * FLT_MIN, "sum",
                       i / CK_LOGIT_BLOCK);
    }
    check_release();
}

void check_logit_weight_blocks_f32(const check_case *c)
{
    for (int s = 0; s <= CHECK_SIZES; s++) {
        const int32_t count = s < CHECK_SIZES ? c->sizes[s] : 3 * CK_LOGIT_BLOCK + 1;
        for (int stores = 0; stores < 2; stores++) {
            check_weights(c, count, 1.0f, stores);
            check_weights(c, count, 0.3f, stores);
        }
    }
}
