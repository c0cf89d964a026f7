// Micro-kernels of linear layers, against sums in double.
#include "check.h"

typedef struct format {
    ck_weight_type type;
    bool bf16_x;
    void (*tile)(const ck_linear_tile *);
} format;

// Weights w[panel * 16 + column][k] written in panel order, and read back as the numbers they stand for.
static size_t element_of(ck_weight_type type, int32_t k, int32_t column)
{
    if (type == CK_WEIGHT_BF16) return ((size_t)(k / 2) * 16 + (size_t)column) * 2 + (size_t)(k % 2);
    return (size_t)k * 16 + (size_t)column;
}

static void put_weight(void *panel, ck_weight_type type, size_t element, float w)
{
    if (type == CK_WEIGHT_F32) ((float *)panel)[element] = w;
    else ((uint16_t *)panel)[element] = type == CK_WEIGHT_BF16 ? check_bf16(w) : check_f16(w);
}

static double get_weight(const void *panel, ck_weight_type type, size_t element)
{
    if (type == CK_WEIGHT_F32) return ((const float *)panel)[element];
    const uint16_t h = ((const uint16_t *)panel)[element];
    if (type == CK_WEIGHT_BF16) return check_bf16_value(h);
    const int exponent = h >> 10 & 0x1f, fraction = h & 0x3ff;
    const double magnitude = exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, exponent - 25);
    return h & 0x8000 ? -magnitude : magnitude;
}

static char *make_panels(ck_weight_type type, int32_t panels, int32_t depth, size_t stride_bytes)
{
    char *memory = check_bytes((size_t)panels * stride_bytes, 64);
    for (int32_t p = 0; p < panels; p++) {
        char *panel = memory + (size_t)p * stride_bytes;
        memset(panel, 0, stride_bytes);
        for (int32_t k = 0; k < depth; k++)
            for (int32_t column = 0; column < 16; column++)
                put_weight(panel, type, element_of(type, k, column),
                           check_uniform() * (k % 7 ? 1.0f : 0x1p-14f));
    }
    check_make_read_only(memory);
    return memory;
}

// Rows of x; what lies between them is NaN. Rows of bf16 are padded to an even depth.
static void *make_x(bool bf16, int32_t rows, int32_t depth, size_t stride)
{
    const size_t used = bf16 ? (size_t)(depth + depth % 2) : (size_t)depth;
    const size_t count = (size_t)(rows - 1) * stride + used;
    void *memory = bf16 ? (void *)check_halves(count) : (void *)check_floats(count);
    for (int32_t r = 0; r < rows; r++) {
        for (int32_t k = 0; k < (int32_t)used; k++) {
            const float x = k < depth ? check_uniform() : 0.0f;
            if (bf16) ((uint16_t *)memory)[(size_t)r * stride + (size_t)k] = check_bf16(x);
            else ((float *)memory)[(size_t)r * stride + (size_t)k] = x;
        }
    }
    check_make_read_only(memory);
    return memory;
}

static double get_x(const ck_linear_tile *t, bool bf16, int32_t r, int32_t k)
{
    const size_t at = (size_t)r * t->x_stride + (size_t)k;
    return bf16 ? check_bf16_value(((const uint16_t *)t->x)[at]) : ((const float *)t->x)[at];
}

static void compare_tile(const ck_linear_tile *t, const format *f)
{
    for (int32_t r = 0; r < t->num_rows; r++) {
        const float *row = t->out + (size_t)r * t->out_stride;
        for (int32_t c = 0; c < 16 * t->num_panels; c++) {
            const char *panel = (const char *)t->panels + (size_t)(c / 16) * t->panel_stride_bytes;
            double sum = 0, magnitude = 0;
            for (int32_t k = 0; k < t->depth; k++) {
                const double term =
                    get_x(t, f->bf16_x, r, k) * get_weight(panel, f->type, element_of(f->type, k, c % 16));
                sum += term, magnitude += fabs(term);
            }
            check_near(row[c], sum, (t->depth + 2) * (double)FLT_EPSILON * magnitude, "sum", c);
        }
        if (r + 1 < t->num_rows)
            check_poison(row + 16 * t->num_panels, t->out_stride - (size_t)(16 * t->num_panels),
                         "between rows");
    }
}

static void check_tile(const format *f, int32_t rows, int32_t panels, int32_t depth)
{
    const size_t panel_bytes = ck_panel_bytes(f->type, depth), width = (size_t)(16 * panels);
    ck_linear_tile t = {
        .x_stride = (size_t)depth + (f->bf16_x ? 8 - (size_t)depth % 8 : 5),
        .panel_stride_bytes = panel_bytes,
        .out_stride = width + 3,
        .num_rows = rows,
        .num_panels = panels,
        .depth = depth,
    };
    t.x = make_x(f->bf16_x, rows, depth, t.x_stride);
    t.panels = make_panels(f->type, panels, depth, panel_bytes);
    t.out = check_floats((size_t)(rows - 1) * t.out_stride + width);
    f->tile(&t);
    compare_tile(&t, f);

    // A row alone, by one panel alone, has the bits it has in company.
    float *alone = check_floats(16);
    const int32_t r = check_below(rows), p = check_below(panels);
    ck_linear_tile single = t;
    single.x = (const char *)t.x + (size_t)r * t.x_stride * (f->bf16_x ? 2 : 4);
    single.panels = (const char *)t.panels + (size_t)p * panel_bytes;
    single.out = alone, single.out_stride = 16, single.num_rows = 1, single.num_panels = 1;
    f->tile(&single);
    check_same_bits(alone, t.out + (size_t)r * t.out_stride + 16 * p, 16, "row alone");
    check_release();
}

static void check_format(const check_case *c, format f)
{
    for (int32_t rows = 1; rows <= CK_TILE_ROWS_MAX; rows++)
        for (int32_t panels = 1; panels <= CK_TILE_PANELS_MAX; panels++)
            check_tile(&f, rows, panels, c->sizes[(rows + panels) % CHECK_SIZES]);
    check_tile(&f, 1, CK_TILE_PANELS_MAX, 896);
    check_tile(&f, 3, 2, 257);
}

void check_linear_tile_f32(const check_case *c)
{
    check_format(c, (format){CK_WEIGHT_F32, false, c->kernels->linear_tile_f32});
}

void check_linear_tile_f16(const check_case *c)
{
    check_format(c, (format){CK_WEIGHT_F16, false, c->kernels->linear_tile_f16});
}

void check_linear_tile_bf16(const check_case *c)
{
    check_format(c, (format){CK_WEIGHT_BF16, false, c->kernels->linear_tile_bf16});
}

void check_linear_tile_bf16_bf16x(const check_case *c)
{
    check_format(c, (format){CK_WEIGHT_BF16, true, c->kernels->linear_tile_bf16_bf16x});
}

static double biased(const ck_epilogue_tile *t, int32_t row, int32_t i, double *magnitude)
{
    const double bias = t->bias ? t->bias[i] : 0, product = t->product[(size_t)row * t->product_stride + (size_t)i];
    *magnitude = fabs(product) + fabs(bias);
    return product + bias;
}

static void compare_epilogue(const ck_epilogue_tile *t, int32_t row, const float *before)
{
    const double eps = FLT_EPSILON;
    const size_t first = (size_t)row * t->out_stride;
    for (int32_t i = 0; i < t->count; i++) {
        const float out = t->out[first + (size_t)i];
        double size, up_size;
        if (t->epilogue != CK_EPILOGUE_SWIGLU) {
            const double old = t->epilogue == CK_EPILOGUE_ADD ? before[first + (size_t)i] : 0;
            const double y = biased(t, row, i, &size) + old;
            check_near(out, y, 2 * eps * (size + fabs(old)), "output", i);
            continue;
        }
        const int32_t at = i / 16 * 32 + i % 16;
        const double gate = biased(t, row, at, &size), up = biased(t, row, at + 16, &up_size);
        const double silu = gate / (1 + exp(-gate));
        // The slope of silu is below 1.1; its own error some ulp; below the least normal number anything
        // goes.
        const double bound =
            (8 * fabs(silu) + 1.1 * size) * eps * fabs(up) + fabs(silu) * eps * up_size + FLT_MIN;
        check_near(out, silu * up, bound, "swiglu", i);
    }
}

// The last row's outputs end at the guard page; between rows nothing may change.
static void check_epilogue(ck_epilogue_tile tile, bool with_bias, float scale,
                           void (*kernel)(const ck_epilogue_tile *))
{
    const size_t rows = (size_t)tile.num_rows, count = (size_t)tile.count;
    const size_t width = tile.epilogue == CK_EPILOGUE_SWIGLU ? (count + 15) / 16 * 32 : count;
    tile.product_stride = width + 3, tile.out_stride = count + 5;
    const size_t products = (rows - 1) * tile.product_stride + width, outs = (rows - 1) * tile.out_stride + count;
    float *product = check_random(products);
    for (size_t i = 0; i < products; i++) product[i] *= scale;
    check_make_read_only(product);
    tile.product = product;
    if (with_bias) {
        tile.bias = check_random(width);
        check_make_read_only(tile.bias);
    }
    float *before = check_random(outs);
    tile.out = check_floats(outs);
    memcpy(tile.out, before, outs * sizeof *before);
    kernel(&tile);
    for (int32_t row = 0; row < tile.num_rows; row++) compare_epilogue(&tile, row, before);
    for (size_t row = 0; row + 1 < rows; row++)
        for (size_t i = row * tile.out_stride + count; i < (row + 1) * tile.out_stride; i++)
            check(tile.out[i] == before[i], "element %zu after row %zu was written", i, row);
    check_release();
}

void check_linear_epilogue_tile(const check_case *c)
{
    const float scales[] = {1, 30, 200};
    for (int e = CK_EPILOGUE_STORE; e <= CK_EPILOGUE_SWIGLU; e++)
        for (int bias = 0; bias < 2; bias++)
            for (int s = 0; s < CHECK_SIZES; s++)
                for (int i = 0; i < 3; i++)
                    check_epilogue((ck_epilogue_tile){.num_rows = 1 + (s + i) % 3, .count = c->sizes[s],
                                                      .epilogue = (ck_epilogue)e},
                                   bias, scales[i], c->kernels->linear_epilogue_tile);
}

void check_bf16_round_row(const check_case *c)
{
    const float special[] = {0.0f,          -0.0f,         INFINITY,    -INFINITY,  NAN,       FLT_MAX,
                             -FLT_MAX,      FLT_MIN,       FLT_MIN / 4, 1e-45f,     0x1.01p0f, 0x1.03p0f,
                             0x1.010002p0f, 0x1.00fffep0f, 0x1.fep127f, 0x1.ffp127f};
    const int32_t num_special = sizeof special / sizeof *special;
    for (int s = 0; s < CHECK_SIZES + 1; s++) {
        const int32_t count = s < CHECK_SIZES ? c->sizes[s] : 4 * num_special;
        float *x = check_random((size_t)count);
        for (int32_t i = 0; s == CHECK_SIZES && i < count; i += 2) x[i] = special[i / 2 % num_special];
        check_make_read_only(x);
        uint16_t *out = check_halves((size_t)count);
        c->kernels->bf16_round_row(out, x, count);
        for (int32_t i = 0; i < count; i++) {
            if (isnan(x[i])) check(isnan(check_bf16_value(out[i])), "NaN became %#x", out[i]);
            else check(out[i] == check_bf16(x[i]), "%a became %#x, not %#x", x[i], out[i], check_bf16(x[i]));
        }
        check_release();
    }
}
