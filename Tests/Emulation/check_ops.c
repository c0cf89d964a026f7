// The ops through a context, against the scalar references; on three threads the bits of one.
#include "check.h"

#include <stdlib.h>

static ck_context *make_context(const check_case *c, int32_t threads)
{
    ck_context *context;
    check(ck_context_create(c->isa, threads, &context) == CK_OK, "no context with %d threads", threads);
    return context;
}

enum { THREADS = 3 };

void check_context(const check_case *c)
{
    ck_context *context = make_context(c, 1);
    check(ck_context_isa(context) == c->isa, "context is on %s", ck_isa_name(ck_context_isa(context)));
    check(ck_context_count_threads(context) == 1, "%d threads took part", ck_context_count_threads(context));
    ck_context_destroy(context);
    check(ck_context_create(c->isa, 0, &context) == CK_ERROR_THREAD_COUNT && !context, "0 threads accepted");
    check(ck_context_create(c->isa, CK_THREADS_MAX + 1, &context) == CK_ERROR_THREAD_COUNT,
          "257 threads accepted");
    context = make_context(c, THREADS);
#ifdef _OPENMP
    const int32_t expected = THREADS;
#else
    const int32_t expected = 1;
#endif
    check(ck_context_count_threads(context) == expected, "%d threads took part",
          ck_context_count_threads(context));
    ck_context_destroy(context);
}

// Packs random weights [N, K] held as floats that `type` represents.
static void *pack(const ck_context *context, ck_weight_type type, int32_t inputs, int32_t outputs,
                  bool interleaved)
{
    const int32_t halves = interleaved ? 2 : 1, rows = outputs / halves;
    const size_t panels = (size_t)((rows + 15) / 16 * halves);
    void *packed = check_bytes(panels * ck_panel_bytes(type, inputs), 64);
    for (int32_t half = 0; half < halves; half++) {
        float *source = check_random((size_t)rows * (size_t)inputs);
        const ck_pack_args args = {
            .source = source,
            .source_type = CK_WEIGHT_F32,
            .num_inputs = inputs,
            .num_outputs = rows,
            .panels = packed,
            .type = type,
            .first_panel = half,
            .panel_step = halves,
        };
        check(ck_pack_linear(context, &args) == -1, "packing refused finite weights");
    }
    check_make_read_only(packed);
    return packed;
}

typedef struct linear_shape {
    int32_t rows, inputs, outputs;
    ck_weight_type type;
    ck_epilogue epilogue;
    ck_activation activation;
    bool bias;
} linear_shape;

// Bound of an output: the product's own, through the slope of the epilogue.
static double linear_bound(const linear_shape *s, double value)
{
    const double product = (s->inputs + 2) * (double)FLT_EPSILON * s->inputs;
    return s->epilogue == CK_EPILOGUE_SWIGLU
               ? 2 * product * (1 + s->inputs / 4.0) + 16 * FLT_EPSILON * fabs(value)
               : product + 2 * FLT_EPSILON * fabs(value);
}

static void check_linear(const check_case *c, const linear_shape *s)
{
    ck_context *one = make_context(c, 1), *three = make_context(c, THREADS);
    const bool swiglu = s->epilogue == CK_EPILOGUE_SWIGLU;
    const size_t columns = (size_t)(swiglu ? s->outputs / 2 : s->outputs);
    ck_linear_args args = {
        .x_stride = (size_t)s->inputs + 3,
        .num_rows = s->rows,
        .num_inputs = s->inputs,
        .num_outputs = s->outputs,
        .panels = pack(one, s->type, s->inputs, s->outputs, swiglu),
        .type = s->type,
        .bias = s->bias ? check_random((size_t)(s->outputs + 15) / 16 * 16) : NULL,
        .epilogue = s->epilogue,
        .activation = s->activation,
        .out_stride = columns + 5,
    };
    args.x = check_random((size_t)(s->rows - 1) * args.x_stride + (size_t)s->inputs);
    check_make_read_only(args.x);
    const size_t held = (size_t)(s->rows - 1) * args.out_stride + columns;
    float *initial = check_floats(held), *outputs[3];
    for (int32_t t = 0; s->epilogue == CK_EPILOGUE_ADD && t < s->rows; t++)
        for (size_t n = 0; n < columns; n++) initial[(size_t)t * args.out_stride + n] = check_uniform();
    for (int i = 0; i < 3; i++) {
        const ck_context *context = i == 1 ? one : three;
        const size_t scratch = ck_linear_scratch_bytes(context, &args);
        args.out = outputs[i] = check_floats(held);
        memcpy(args.out, initial, held * sizeof(float));
        args.scratch = scratch ? check_bytes(scratch, 64) : NULL;
        if (i == 0) ck_reference_linear(&args);
        else ck_linear(context, &args);
    }
    for (int32_t t = 0; t < s->rows; t++) {
        const size_t at = (size_t)t * args.out_stride;
        for (size_t n = 0; n < columns; n++)
            check_near(outputs[1][at + n], outputs[0][at + n], linear_bound(s, outputs[0][at + n]), "linear",
                       t);
        check_same_bits(outputs[1] + at, outputs[2] + at, columns, "on three threads");
        if (t + 1 < s->rows)
            check_poison(outputs[1] + at + columns, args.out_stride - columns, "between rows");
    }
    ck_context_destroy(one);
    ck_context_destroy(three);
    check_release();
}

void check_linear_op(const check_case *c)
{
    const int32_t rows[] = {1, 2, 5, 25, 49};
    for (int type = CK_WEIGHT_F32; type <= CK_WEIGHT_BF16; type++) {
        for (int e = CK_EPILOGUE_STORE; e <= CK_EPILOGUE_SWIGLU; e++) {
            for (int i = 0; i < 5; i++) {
                linear_shape s = {rows[i],
                                  2 * c->sizes[i] + i,
                                  e == CK_EPILOGUE_SWIGLU ? 96 : 61 + i,
                                  (ck_weight_type)type,
                                  (ck_epilogue)e,
                                  CK_ACTIVATION_F32,
                                  i % 2};
                check_linear(c, &s);
                s.activation = CK_ACTIVATION_BF16;
                if (type == CK_WEIGHT_BF16) check_linear(c, &s);
            }
        }
    }
}

void check_embedding_op(const check_case *c)
{
    ck_context *context = make_context(c, THREADS);
    const int32_t inputs = c->sizes[4], outputs = 37, rows = 9;
    for (int type = CK_WEIGHT_F32; type <= CK_WEIGHT_BF16; type++) {
        float *source = check_floats((size_t)outputs * (size_t)inputs);
        for (int32_t i = 0; i < outputs * inputs; i++) source[i] = (float)(check_below(512) - 256) / 256;
        ck_pack_args args = {source, CK_WEIGHT_F32, inputs, outputs, NULL, (ck_weight_type)type, 0, 1};
        args.panels = check_bytes(3 * ck_panel_bytes(args.type, inputs), 64);
        check(ck_pack_linear(context, &args) == -1, "packing refused finite weights");
        int32_t *index = check_bytes((size_t)rows * sizeof *index, sizeof *index);
        for (int32_t t = 0; t < rows; t++) index[t] = t == 0 ? outputs - 1 : check_below(outputs);
        const size_t stride = (size_t)inputs + 3;
        float *out = check_floats((size_t)rows * stride);
        ck_embedding_gather(context,
                            &(ck_unpack_args){args.panels, args.type, inputs, rows, index, out, stride});
        for (int32_t t = 0; t < rows; t++)
            check_same_bits(out + (size_t)t * stride, source + (size_t)index[t] * (size_t)inputs,
                            (size_t)inputs, "gathered");
        source[(size_t)(outputs - 1) * (size_t)inputs] = NAN;
        check(ck_pack_linear(context, &args) == (int64_t)(outputs - 1) * inputs, "packing took NaN");
        check_release();
    }
    ck_context_destroy(context);
}

void check_norm_ops(const check_case *c)
{
    ck_context *context = make_context(c, THREADS);
    for (int i = 0; i < CHECK_SIZES; i++) {
        const size_t width = (size_t)c->sizes[i], rows = 7, stride = width + 2,
                     held = (rows - 1) * stride + width;
        float *x = check_random(held), *delta = check_random(held), *weight = check_random(width), *sums[2],
              *outs[2];
        ck_rms_norm_args plain = {x, stride, weight, 1e-5f, (int32_t)rows, (int32_t)width, NULL, stride};
        ck_add_rms_norm_args add = {NULL,  stride,        delta,          stride, weight,
                                    1e-5f, (int32_t)rows, (int32_t)width, NULL,   stride};
        for (int residual = 0; residual < 2; residual++) {
            for (int k = 0; k < 2; k++) {
                plain.out = add.out = outs[k] = check_floats(held);
                add.residual = sums[k] = check_floats(held);
                memcpy(sums[k], x, held * sizeof *x);
                if (k == 0 && residual) ck_reference_add_rms_norm(&add);
                else if (k == 0) ck_reference_rms_norm(&plain);
                else if (residual) ck_add_rms_norm(context, &add);
                else ck_rms_norm(context, &plain);
            }
            check_same_bits(sums[0], sums[1], held, "residual");
            for (size_t at = 0; at < held; at++) {
                if (at % stride >= width) check_poison(outs[1] + at, 1, "between rows");
                else
                    check_near(outs[1][at], outs[0][at],
                               (double)(4 + width) * FLT_EPSILON * fabs(outs[0][at]) + FLT_MIN, "norm",
                               (int64_t)at);
            }
        }
        check_release();
    }
    ck_context_destroy(context);
}

// Two sequences: a prompt of 5 rows at positions 30...34, and one decode row at position 70.
enum {
    SLOTS = 3,
    TABLE_STRIDE = 4,
    POOL_PAGES = SLOTS * TABLE_STRIDE,
    SEQUENCES = 2,
    ROWS = 6,
    POSITIONS = 96
};
static const int32_t row_starts[SEQUENCES + 1] = {0, 5, 6}, batch_slots[SEQUENCES] = {2, 0},
                                            lengths[SEQUENCES] = {35, 71};

static ck_kv make_pools(ck_kv_type type, int32_t heads, int32_t size, bool random)
{
    int32_t *table = check_bytes(POOL_PAGES * sizeof *table, sizeof *table);
    for (int32_t i = 0; i < POOL_PAGES; i++) table[i] = i * 5 % POOL_PAGES;
    ck_kv kv = check_kv(type, POOL_PAGES, heads, size);
    kv.page_table = table;
    kv.page_table_stride = TABLE_STRIDE;
    for (int32_t i = 0; random && i < POOL_PAGES * heads * CK_KV_PAGE; i++)
        check_kv_fill(&kv, i / (heads * CK_KV_PAGE), i / CK_KV_PAGE % heads, i % CK_KV_PAGE);
    return kv;
}

// Distance of neighbours in a cache of the type, where a head's greatest element is `most`.
static double step_of(ck_kv_type type, double x, double most)
{
    switch (type) {
    case CK_KV_F32: return 0;
    case CK_KV_F16: return fmax(fabs(x), 0x1p-14) * 0x1p-10;
    case CK_KV_BF16: return fabs(x) * 0x1p-7;
    case CK_KV_I8: return most / 126;
    }
    return NAN;
}

// Equal within the bound, or poison in both: what is not written must be the same places. Keys may differ by one
// step, where a difference within the bound moved them over the middle of two.
static void compare_pools(const ck_kv *a, const ck_kv *b, bool keys, double bound)
{
    const int32_t columns = keys ? a->head_size : ck_kv_value_stride(a->head_size);
    for (int32_t i = 0; i < POOL_PAGES * a->num_kv_heads * CK_KV_PAGE; i++) {
        const int32_t head = i / CK_KV_PAGE % a->num_kv_heads, page = i / (CK_KV_PAGE * a->num_kv_heads);
        double most = 0;
        for (int32_t d = 0; d < a->head_size; d++)
            most = fmax(most, fabs(check_kv_element(b, keys, page, head, i % CK_KV_PAGE, d)));
        for (int32_t d = 0; d < columns; d++) {
            const double x = check_kv_element(a, keys, page, head, i % CK_KV_PAGE, d);
            const double y = check_kv_element(b, keys, page, head, i % CK_KV_PAGE, d);
            if (isnan(x) && isnan(y)) continue;
            check_near(x, y, bound > 0 ? bound + step_of(a->type, y, most) : 0, "cache", d);
        }
    }
}

static void check_rope(const check_case *c, ck_kv_type type, int32_t size, ck_rope_pairing pairing, bool norms)
{
    enum { HEADS = 4, KV_HEADS = 2 };
    ck_context *context = make_context(c, THREADS);
    const size_t width = (size_t)(HEADS + 2 * KV_HEADS) * (size_t)size, pairs = (size_t)size / 2;
    float *cosines = check_random(POSITIONS * pairs), *sines = check_random(POSITIONS * pairs);
    float *qkv = check_random(ROWS * width), *rows[2];
    ck_rope_append_args args = {
        .qkv_stride = width,
        .k_offset = HEADS * (size_t)size,
        .v_offset = (HEADS + KV_HEADS) * (size_t)size,
        .num_heads = HEADS,
        .q_norm = norms ? check_random((size_t)size) : NULL,
        .k_norm = norms ? check_random((size_t)size) : NULL,
        .norm_eps = 1e-6f,
        .cosines = cosines,
        .sines = sines,
        .pairing = pairing,
        .batch = {SEQUENCES, row_starts, batch_slots, lengths},
    };
    ck_kv pools[2];
    for (int k = 0; k < 2; k++) {
        args.kv = pools[k] = make_pools(type, KV_HEADS, size, false);
        args.qkv = rows[k] = check_floats(ROWS * width);
        memcpy(args.qkv, qkv, ROWS * width * sizeof *qkv);
        if (k == 0) ck_reference_rope_append_f32(&args);
        else ck_rope_append_f32(context, &args);
    }
    const double bound = (size + 8) * (double)FLT_EPSILON * (norms ? 4 * sqrt(size) : 2);
    for (size_t i = 0; i < ROWS * width; i++) check_near(rows[1][i], rows[0][i], bound, "qkv", (int64_t)i);
    compare_pools(&pools[1], &pools[0], true, bound);
    compare_pools(&pools[1], &pools[0], false, 0);
    ck_context_destroy(context);
    check_release();
}

void check_rope_op(const check_case *c)
{
    const int32_t sizes[] = {2, 2 * c->kernels->vector_lanes - 2, 2 * c->kernels->vector_lanes + 2, 20, 64};
    for (int i = 0; i < 5; i++)
        for (int k = 0; k < 4 * CK_KV_TYPE_COUNT; k++)
            if (sizes[i] > 0)
                check_rope(c, (ck_kv_type)(k / 4), sizes[i], k & 1 ? CK_ROPE_INTERLEAVED : CK_ROPE_HALVES, k & 2);
}

static void check_attention(const check_case *c, ck_kv_type type, int32_t size, int32_t heads, int32_t window,
                            bool masked)
{
    enum { KV_HEADS = 2 };
    ck_context *one = make_context(c, 1), *three = make_context(c, THREADS);
    const size_t width = (size_t)heads * (size_t)size, stride = width + 7;
    ck_attention_args args = {
        .q = check_random((ROWS - 1) * stride + width),
        .q_stride = stride,
        .num_heads = heads,
        .scale = 1 / sqrtf((float)size),
        .window = window,
        .mask_stride = POSITIONS,
        .batch = {SEQUENCES, row_starts, batch_slots, lengths},
        .kv = make_pools(type, KV_HEADS, size, true),
        .out_stride = width,
    };
    if (masked) {
        uint8_t *mask = check_bytes(ROWS * POSITIONS, 1);
        for (int32_t i = 0; i < ROWS * POSITIONS; i++) mask[i] = check_below(4) > 0;
        args.mask = mask;
    }
    const ck_attention_limits limits = {ROWS, SEQUENCES, 71, heads, KV_HEADS, size};
    float *outputs[3];
    for (int i = 0; i < 3; i++) {
        args.out = outputs[i] = check_floats(ROWS * width);
        args.scratch = check_bytes(ck_attention_scratch_bytes(i == 1 ? one : three, &limits), 64);
        if (i == 0) ck_reference_attention_f32(&args);
        else ck_attention_f32(i == 1 ? one : three, &args);
    }
    for (size_t i = 0; i < ROWS * width; i++)
        check_near(outputs[1][i], outputs[0][i], (size + 128) * (double)FLT_EPSILON, "attention", (int64_t)i);
    check_same_bits(outputs[1], outputs[2], ROWS * width, "on three threads");
    ck_context_destroy(one);
    ck_context_destroy(three);
    check_release();
}

void check_attention_op(const check_case *c)
{
    const int32_t sizes[] = {2, 20, 48, 64};
    for (int i = 0; i < 4 * CK_KV_TYPE_COUNT; i++) {
        const ck_kv_type type = (ck_kv_type)(i / 4);
        check_attention(c, type, sizes[i % 4], 2, 0, false);
        check_attention(c, type, sizes[i % 4], 14, 9, false);
        check_attention(c, type, sizes[i % 4], 6, 0, true);
    }
}
