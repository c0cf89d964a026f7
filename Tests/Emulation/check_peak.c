// Chains of multiply-adds: the values that a plain loop gives, and as many operations as were done.
#include "check.h"

// What one turn of a kind of chain does: operations for each value, and value * factor + addend.
typedef struct chain_kind {
    int operations;
    float factor, addend;
} chain_kind;

static void check_chains(const check_case *c, void (*kernel)(ck_chains *), chain_kind kind)
{
    const int64_t turns[] = {0, 1, 2, 8, 77};
    for (size_t t = 0; t < sizeof turns / sizeof *turns; t++) {
        float *values = check_floats(CK_CHAINS_MAX);
        for (int i = 0; i < CK_CHAINS_MAX; i++) values[i] = (float)(i % 13);
        ck_chains chains = {.values = values, .turns = turns[t]};
        kernel(&chains);
        check(chains.count > 0 && chains.count <= CK_CHAINS_MAX && chains.count % c->kernels->vector_lanes == 0,
              "%d values", chains.count);
        check(chains.operations == kind.operations * chains.count * turns[t], "%lld operations",
              (long long)chains.operations);
        for (int32_t i = 0; i < CK_CHAINS_MAX; i++) {
            float expected = (float)(i % 13);
            for (int64_t n = 0; n < turns[t] && i < chains.count; n++) expected = expected * kind.factor + kind.addend;
            check(values[i] == expected, "value %d is %g", i, (double)values[i]);
        }
        check_release();
    }
}

static const chain_kind floats = {2, 0.5f, 1}, pairs = {4, 1, 1}, quads = {8, 1, 4};

void check_multiply_add_chains_f32(const check_case *c)
{
    check_chains(c, c->kernels->multiply_add_chains_f32, floats);
}

void check_multiply_add_chains_bf16(const check_case *c)
{
    const bool has_pairs = c->kernels->bf16_activation == CK_ACTIVATION_BF16;
    check_chains(c, c->kernels->multiply_add_chains_bf16, has_pairs ? pairs : floats);
}

void check_multiply_add_chains_i8(const check_case *c)
{
    check_chains(c, c->kernels->multiply_add_chains_i8, quads);
}

void check_multiply_add_chains_i4(const check_case *c)
{
    check_chains(c, c->kernels->multiply_add_chains_i4, quads);
}
