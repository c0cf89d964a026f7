// Micro-kernels that work on one row: norm, rotary embedding, merging and finishing partial softmaxes.
#include "check.h"

typedef enum norm_aliasing {
    NORM_APART,
    NORM_OUT_IS_X,
    NORM_OUT_IS_DELTA,
    NORM_SUM_IS_X,
    NORM_BOTH
} norm_aliasing;

static void compare_norm(const float *out, const float *y, const float *weight, float eps, int32_t count)
{
    double squares = 0;
    for (int32_t i = 0; i < count; i++) squares += (double)y[i] * y[i];
    const double root = sqrt(squares / count + eps);
    for (int32_t i = 0; i < count; i++) {
        const double expected = y[i] / root * weight[i];
        check_near(out[i], expected, (4 + count / 8.0) * FLT_EPSILON * fabs(expected) + FLT_MIN, "norm", i);
    }
}

static void check_norm_row(void (*kernel)(const ck_rms_norm_row *), int32_t count, bool residual,
                           norm_aliasing aliasing)
{
    const size_t n = (size_t)count;
    float *x = check_random(n), *weight = check_random(n), *delta = residual ? check_random(n) : NULL;
    float *y = check_floats(n);
    for (size_t i = 0; i < n; i++) y[i] = residual ? x[i] + delta[i] : x[i];
    ck_rms_norm_row row = {.x = x, .delta = delta, .weight = weight, .eps = 1e-6f, .count = count};
    row.sum = residual ? check_floats(n) : NULL;
    row.out = check_floats(n);
    if (aliasing == NORM_OUT_IS_X) row.out = x;
    if (aliasing == NORM_OUT_IS_DELTA || aliasing == NORM_BOTH) row.out = delta;
    if (aliasing == NORM_SUM_IS_X || aliasing == NORM_BOTH) row.sum = x;
    check_make_read_only(weight);
    if (aliasing == NORM_APART) check_make_read_only(x);
    kernel(&row);
    if (residual) check_same_bits(row.sum, y, n, "sum");
    compare_norm(row.out, y, weight, row.eps, count);
    check_release();
}

void check_rms_norm_row_f32(const check_case *c)
{
    for (int s = 0; s <= CHECK_SIZES; s++) {
        const int32_t count = s < CHECK_SIZES ? c->sizes[s] : 896;
        check_norm_row(c->kernels->rms_norm_row_f32, count, false, NORM_APART);
        check_norm_row(c->kernels->rms_norm_row_f32, count, false, NORM_OUT_IS_X);
        for (int a = NORM_APART; a <= NORM_BOTH; a++)
            check_norm_row(c->kernels->rms_norm_row_f32, count, true, (norm_aliasing)a);
    }
}

static void check_head(void (*kernel)(const ck_rope_head *), int32_t pairs, ck_rope_pairing pairing)
{
    const size_t n = (size_t)pairs;
    float *before = check_random(2 * n), *x = check_floats(2 * n), *cosines = check_floats(n),
          *sines = check_floats(n);
    for (size_t i = 0; i < n; i++) {
        const float angle = 10 * check_uniform();
        cosines[i] = cosf(angle), sines[i] = sinf(angle);
    }
    memcpy(x, before, 2 * n * sizeof *x);
    check_make_read_only(cosines);
    check_make_read_only(sines);
    kernel(
        &(ck_rope_head){.x = x, .cosines = cosines, .sines = sines, .num_pairs = pairs, .pairing = pairing});
    for (int32_t i = 0; i < pairs; i++) {
        const int32_t first = pairing == CK_ROPE_HALVES ? i : 2 * i;
        const int32_t second = pairing == CK_ROPE_HALVES ? i + pairs : 2 * i + 1;
        const double a = before[first], b = before[second], cosine = cosines[i], sine = sines[i];
        const double bound = 2 * (double)FLT_EPSILON;
        check_near(x[first], a * cosine - b * sine, bound * (fabs(a * cosine) + fabs(b * sine)), "first", i);
        check_near(x[second], b * cosine + a * sine, bound * (fabs(b * cosine) + fabs(a * sine)), "second",
                   i);
    }
    check_release();
}

void check_rope_head_f32(const check_case *c)
{
    for (int s = 0; s <= CHECK_SIZES; s++) {
        const int32_t pairs = s < CHECK_SIZES ? c->sizes[s] : 64;
        check_head(c->kernels->rope_head_f32, pairs, CK_ROPE_HALVES);
        check_head(c->kernels->rope_head_f32, pairs, CK_ROPE_INTERLEAVED);
    }
}

enum { RECORD_EXTRA = 2 }; // of a partial's room beyond its values, what is in use

static float *make_partial(int32_t value_stride, bool visible)
{
    float *partial = check_random((size_t)(value_stride + CK_PARTIAL_EXTRA));
    partial[value_stride + CK_PARTIAL_MAXIMUM] = visible ? 20 * check_uniform() : -INFINITY;
    partial[value_stride + CK_PARTIAL_SUM] = visible ? 1.5f + check_uniform() : 0.0f;
    for (int32_t i = 0; !visible && i < value_stride; i++) partial[i] = 0;
    return partial;
}

static void check_merge(const check_case *c, int32_t value_stride, bool into_visible, bool partial_visible)
{
    const size_t used = (size_t)value_stride + RECORD_EXTRA;
    float *into = make_partial(value_stride, into_visible),
          *partial = make_partial(value_stride, partial_visible);
    float *before = check_floats(used);
    memcpy(before, into, used * sizeof *into);
    check_make_read_only(partial);
    c->kernels->attention_merge_row_f32(into, partial, value_stride);
    if (!partial_visible || !into_visible) {
        // Sums of weights of zero say "nothing": the other side is the result, to the bit.
        check_same_bits(into, partial_visible ? partial : before, used, "merge with nothing");
    } else {
        const float *old = before + value_stride, *other = partial + value_stride, *now = into + value_stride;
        const double maximum = fmax(old[CK_PARTIAL_MAXIMUM], other[CK_PARTIAL_MAXIMUM]);
        const double a = exp(old[CK_PARTIAL_MAXIMUM] - maximum), b = exp(other[CK_PARTIAL_MAXIMUM] - maximum);
        // A difference of up to 40 is exact to 40 / 2 ulp of 1 in the exponent.
        const double bound = 24 * (double)FLT_EPSILON;
        check(now[CK_PARTIAL_MAXIMUM] == maximum, "maximum is %g", now[CK_PARTIAL_MAXIMUM]);
        const double sum = a * old[CK_PARTIAL_SUM] + b * other[CK_PARTIAL_SUM];
        check_near(now[CK_PARTIAL_SUM], sum, bound * sum, "sum of weights", 0);
        for (int32_t i = 0; i < value_stride; i++)
            check_near(into[i], a * before[i] + b * partial[i],
                       bound * (fabs(a * before[i]) + fabs(b * partial[i])) + FLT_MIN, "merged", i);
    }
    check_release();
}

void check_attention_merge_row_f32(const check_case *c)
{
    for (int32_t value_stride = 16; value_stride <= 128; value_stride += 16)
        for (int visible = 0; visible < 4; visible++) check_merge(c, value_stride, visible & 1, visible & 2);
}

void check_attention_output_row_f32(const check_case *c)
{
    for (int32_t count = 1; count <= 80; count += 1 + count / 20) {
        for (int visible = 0; visible < 2; visible++) {
            const int32_t value_stride = ck_kv_value_stride(count);
            float *partial = make_partial(value_stride, visible), *out = check_floats((size_t)count);
            check_make_read_only(partial);
            c->kernels->attention_output_row_f32(out, partial, count, value_stride);
            for (int32_t i = 0; i < count; i++) {
                const double sum = partial[value_stride + CK_PARTIAL_SUM],
                             expected = visible ? partial[i] / sum : 0;
                check_near(out[i], expected, FLT_EPSILON * fabs(expected), "output", i);
            }
            check_release();
        }
    }
}
