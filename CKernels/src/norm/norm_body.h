// Micro-kernel of the norms.

enum { NORM_ACCUMULATORS = 4 };

CK_LINKAGE void CK_ISA_FN(rms_norm_row_f32)(const ck_rms_norm_row *row)
{
    const int32_t count = row->count;
    const float *y = row->delta ? row->sum : row->x;
    v_f32 squares[NORM_ACCUMULATORS] = {v_zero(), v_zero(), v_zero(), v_zero()};
    // Vector i goes to accumulator i % 4: short chains for speed, and for the error of the sum.
    for (int32_t i = 0; i < count; i += NORM_ACCUMULATORS * V_LANES) {
#pragma clang loop unroll(full)
        for (int32_t a = 0; a < NORM_ACCUMULATORS; a++) {
            const int32_t at = i + a * V_LANES, left = count - at;
            if (left <= 0) break;
            v_f32 x = v_load_tail(row->x + at, left);
            if (row->delta) {
                x = v_add(x, v_load_tail(row->delta + at, left));
                v_store_tail(row->sum + at, x, left);
            }
            squares[a] = v_fma(x, x, squares[a]);
        }
    }
    const float sum = v_reduce_add(v_add(v_add(squares[0], squares[1]), v_add(squares[2], squares[3])));
    const v_f32 scale = v_set1(1.0f / __builtin_elementwise_sqrt(sum / (float)count + row->eps));
    for (int32_t i = 0; i < count; i += V_LANES) {
        const int32_t left = count - i;
        v_f32 x = v_mul(v_load_tail(y + i, left), scale);
        v_store_tail(row->out + i, v_mul(x, v_load_tail(row->weight + i, left)), left);
    }
}
