// Chains of multiply-adds. Parameters: the primitives of a vec_<isa>.h, V_ACCUMULATORS, V_HAS_BF16_DOT.

V_INLINE void chains_load(v_f32 *acc, const ck_chains *chains)
{
#pragma clang loop unroll(full)
    for (int i = 0; i < V_ACCUMULATORS; i++) acc[i] = v_load(chains->values + i * V_LANES);
}

V_INLINE void chains_store(ck_chains *chains, const v_f32 *acc, int64_t operations_per_value)
{
#pragma clang loop unroll(full)
    for (int i = 0; i < V_ACCUMULATORS; i++) v_store(chains->values + i * V_LANES, acc[i]);
    chains->count = V_ACCUMULATORS * V_LANES;
    chains->operations = operations_per_value * chains->count * chains->turns;
}

static void CK_ISA_FN(multiply_add_chains_f32)(ck_chains *chains)
{
    v_f32 acc[V_ACCUMULATORS];
    const v_f32 half = v_set1(0.5f), one = v_set1(1.0f);
    chains_load(acc, chains);
    for (int64_t turn = 0; turn < chains->turns; turn++) {
#pragma clang loop unroll(full)
        for (int i = 0; i < V_ACCUMULATORS; i++) acc[i] = v_fma(acc[i], half, one);
    }
    chains_store(chains, acc, 2);
}

static void CK_ISA_FN(multiply_add_chains_bf16)(ck_chains *chains)
{
#ifdef V_HAS_BF16_DOT
    v_f32 acc[V_ACCUMULATORS];
    const uint16_t half[2] = {0x3f00, 0x3f00}, one[2] = {0x3f80, 0x3f80};
    const v_bf16_pairs halves = v_set1_bf16_pair(half), ones = v_set1_bf16_pair(one);
    chains_load(acc, chains);
    for (int64_t turn = 0; turn < chains->turns; turn++) {
#pragma clang loop unroll(full)
        for (int i = 0; i < V_ACCUMULATORS; i++) acc[i] = v_bf16_dot(acc[i], halves, ones);
    }
    chains_store(chains, acc, 4);
#else
    CK_ISA_FN(multiply_add_chains_f32)(chains);
#endif
}
