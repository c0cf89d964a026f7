// Micro-kernel of the rotary embedding.

V_INLINE void rope_halves(const ck_rope_head *head)
{
    const int32_t pairs = head->num_pairs;
    float *first = head->x, *second = head->x + pairs;
    for (int32_t i = 0; i < pairs; i += V_LANES) {
        const int32_t left = pairs - i;
        const v_f32 a = v_load_tail(first + i, left), b = v_load_tail(second + i, left);
        const v_f32 c = v_load_tail(head->cosines + i, left), s = v_load_tail(head->sines + i, left);
        v_store_tail(first + i, v_sub(v_mul(a, c), v_mul(b, s)), left);
        v_store_tail(second + i, v_add(v_mul(b, c), v_mul(a, s)), left);
    }
}

V_INLINE void rope_interleaved(const ck_rope_head *head)
{
    for (int32_t i = 0; i < head->num_pairs; i++) {
        const float a = head->x[2 * i], b = head->x[2 * i + 1], c = head->cosines[i], s = head->sines[i];
        head->x[2 * i] = a * c - b * s;
        head->x[2 * i + 1] = b * c + a * s;
    }
}

CK_LINKAGE void CK_ISA_FN(rope_head_f32)(const ck_rope_head *head)
{
    if (head->pairing == CK_ROPE_HALVES) rope_halves(head);
    else rope_interleaved(head);
}
