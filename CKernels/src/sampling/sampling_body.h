// Micro-kernels of sampling. A vector that the row's end cuts short is filled up with -infinity: never a maximum, no
// weight.

V_INLINE v_f32 logit_load(const float *p, int32_t left)
{
    if (left >= V_LANES) return v_load(p);
    float lanes[V_LANES];
    for (int32_t i = 0; i < V_LANES; i++) lanes[i] = i < left ? p[i] : -__builtin_inff();
    return v_load(lanes);
}

CK_LINKAGE void CK_ISA_FN(logit_scan_blocks_f32)(ck_logit_blocks *blocks)
{
    const v_f32 infinity = v_set1(__builtin_inff()), one = v_set1(1.0f);
    v_f32 valid = one;
    for (int32_t first = 0; first < blocks->count; first += CK_LOGIT_BLOCK) {
        const int32_t end = blocks->count - first < CK_LOGIT_BLOCK ? blocks->count : first + CK_LOGIT_BLOCK;
        v_f32 max = v_set1(-__builtin_inff());
        for (int32_t i = first; i < end; i += V_LANES) {
            v_f32 logit = logit_load(blocks->logits + i, end - i);
            max = v_max(logit, max);
            valid = v_select(v_less(logit, infinity), valid, v_zero());
        }
        blocks->block_value[first / CK_LOGIT_BLOCK] = v_reduce_max(max);
    }
    blocks->is_valid = v_reduce_add(valid) == (float)V_LANES;
}

CK_LINKAGE void CK_ISA_FN(logit_weight_blocks_f32)(ck_logit_blocks *blocks)
{
    const v_f32 max = v_set1(blocks->max), temperature = v_set1(blocks->temperature);
    for (int32_t first = 0; first < blocks->count; first += CK_LOGIT_BLOCK) {
        const int32_t end = blocks->count - first < CK_LOGIT_BLOCK ? blocks->count : first + CK_LOGIT_BLOCK;
        v_f32 sum = v_zero();
        for (int32_t i = first; i < end; i += V_LANES) {
            v_f32 weight = v_exp(v_div(v_sub(logit_load(blocks->logits + i, end - i), max), temperature));
            sum = v_add(sum, weight);
            if (blocks->weights) v_store_tail(blocks->weights + i, weight, end - i);
        }
        blocks->block_value[first / CK_LOGIT_BLOCK] = v_reduce_add(sum);
    }
}
