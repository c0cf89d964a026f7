// Chains of multiply-adds: the values that a plain loop gives, and as many operations as were done.
#include "check.h"

static void check_chains(const check_case *c, void (*kernel)(ck_chains *), bool pairs)
{
    const int64_t turns[] = {0, 1, 2, 77};
    for (size_t t = 0; t < sizeof turns / sizeof *turns; t++) {
        float *values = check_floats(CK_CHAINS_MAX);
        for (int i = 0; i < CK_CHAINS_MAX; i++) values[i] = (float)(i % 13);
        ck_chains chains = {.values = values, .turns = turns[t]};
        kernel(&chains);
        check(chains.count > 0 && chains.count <= CK_CHAINS_MAX && chains.count % c->kernels->vector_lanes == 0,
              "%d values", chains.count);
        check(chains.operations == (pairs ? 4 : 2) * chains.count * turns[t], "%lld operations",
              (long long)chains.operations);
        for (int32_t i = 0; i < CK_CHAINS_MAX; i++) {
            float expected = (float)(i % 13);
            for (int64_t n = 0; n < turns[t] && i < chains.count; n++)
                expected = pairs ? expected + 1 : expected * 0.5f + 1;
            check(values[i] == expected, "value %d is %g", i, (double)values[i]);
        }
        check_release();
    }
}

void check_multiply_add_chains_f32(const check_case *c)
{
    check_chains(c, c->kernels->multiply_add_chains_f32, false);
}

void check_multiply_add_chains_bf16(const check_case *c)
{
    check_chains(c, c->kernels->multiply_add_chains_bf16, c->kernels->bf16_activation == CK_ACTIVATION_BF16);
}

static void check_int_chains(const check_case *c, void (*kernel)(ck_chains *))
{
    const int64_t turns[] = {0, 1, 8, 77};
    for (size_t t = 0; t < sizeof turns / sizeof *turns; t++) {
        float *values = check_floats(CK_CHAINS_MAX);
        for (int i = 0; i < CK_CHAINS_MAX; i++) values[i] = (float)(i % 13);
        ck_chains chains = {.values = values, .turns = turns[t]};
        kernel(&chains);
        check(chains.count > 0 && chains.count <= CK_CHAINS_MAX && chains.count % c->kernels->vector_lanes == 0,
              "%d values", chains.count);
        check(chains.operations == 8 * chains.count * turns[t], "%lld operations", (long long)chains.operations);
        for (int32_t i = 0; i < CK_CHAINS_MAX; i++) {
            const float expected = (float)(i % 13) + (i < chains.count ? 4 * (float)turns[t] : 0);
            check(values[i] == expected, "value %d is %g", i, (double)values[i]);
        }
        check_release();
    }
}

void check_multiply_add_chains_i8(const check_case *c) { check_int_chains(c, c->kernels->multiply_add_chains_i8); }

void check_multiply_add_chains_i4(const check_case *c) { check_int_chains(c, c->kernels->multiply_add_chains_i4); }
