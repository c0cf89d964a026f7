// Chains of multiply-adds. Parameters: the primitives of vec_<isa>.h and int_<isa>.h, V_ACCUMULATORS, V_HAS_BF16_DOT,
// V_INT_*.

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

CK_LINKAGE void CK_ISA_FN(multiply_add_chains_f32)(ck_chains *chains)
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

CK_LINKAGE void CK_ISA_FN(multiply_add_chains_bf16)(ck_chains *chains)
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

enum { CHAINS_INT_VECTORS = V_INT_PANELS * V_PER_PANEL, CHAINS_INT = V_INT_ROWS * CHAINS_INT_VECTORS };

// Rows and weights of ones, read again each turn: what the compiler knew of them it would take out of the loop.
typedef struct chains_bytes {
    int8_t rows[V_INT_ROWS][4];
    int8_t weights[CHAINS_INT_VECTORS][4 * V_LANES];
} chains_bytes;

V_INLINE void chains_add(ck_chains *chains, const v_i32 *sums)
{
#pragma clang loop unroll(full)
    for (int i = 0; i < CHAINS_INT; i++) {
        float *values = chains->values + i * V_LANES;
        v_store(values, v_add(v_load(values), v_i32_to_f32(sums[i])));
    }
}

V_INLINE void chains_int(ck_chains *chains, const bool is_u4)
{
    chains_bytes bytes;
    memset(&bytes, is_u4 ? 0x11 : 1, sizeof bytes);
    memset(bytes.rows, 1, sizeof bytes.rows);
    for (int64_t done = 0; done < chains->turns; done += QUADS_PER_GROUP) {
        const int64_t left = chains->turns - done, turns = left < QUADS_PER_GROUP ? left : QUADS_PER_GROUP;
        v_i32 sums[CHAINS_INT];
        v_u4_sums acc[CHAINS_INT];
#pragma clang loop unroll(full)
        for (int i = 0; i < CHAINS_INT; i++) sums[i] = v_i32_zero(), acc[i] = v_u4_zero();
        for (int64_t turn = 0; turn < turns; turn++) {
            __asm__ volatile("" : : "r"(&bytes) : "memory");
#pragma clang loop unroll(full)
            for (int i = 0; i < CHAINS_INT; i++) {
                const v_quad x = v_set1_quad(bytes.rows[i / CHAINS_INT_VECTORS]);
                const int8_t *w = bytes.weights[i % CHAINS_INT_VECTORS];
                if (is_u4) acc[i] = v_dot_u4(acc[i], v_u4_low(w), x);
                else sums[i] = v_dot_quads(sums[i], v_load_quads(w), x);
            }
        }
#pragma clang loop unroll(full)
        for (int i = 0; i < CHAINS_INT; i++)
            sums[i] = is_u4 ? v_u4_total(acc[i])
                            : v_i32_sub(sums[i], v_i32_set1(4 * V_QUADS_OFFSET * (int32_t)turns));
        chains_add(chains, sums);
    }
    chains->count = CHAINS_INT * V_LANES;
    chains->operations = 8ll * chains->count * chains->turns;
}

CK_LINKAGE void CK_ISA_FN(multiply_add_chains_i8)(ck_chains *chains) { chains_int(chains, false); }
CK_LINKAGE void CK_ISA_FN(multiply_add_chains_i4)(ck_chains *chains) { chains_int(chains, true); }
