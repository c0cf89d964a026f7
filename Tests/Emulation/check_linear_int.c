// Micro-kernels of integer weights: sums of a group are exact, so a plain loop over integers says what they are.
#include "check.h"

#include <stdlib.h>

typedef struct int_format {
    ck_weight_type type;
    bool int_x;
    void (*tile)(const ck_linear_tile *);
} int_format;

static bool is_run_type(ck_weight_type type) { return type >= CK_WEIGHT_I8A; }

static bool is_nibble_type(ck_weight_type type) { return type == CK_WEIGHT_I4 || type == CK_WEIGHT_I4A; }

static size_t group_bytes(ck_weight_type type) { return is_nibble_type(type) ? 256 : 512; }

static double half_at(const char *halves, int32_t i)
{
    const uint16_t h = ((const uint16_t *)halves)[i];
    return ldexp(1024 + (h & 0x3ff), (h >> 10 & 0x1f) - 25) * (h >> 15 ? -1 : 1);
}

// What a weight is made of: scale * integer + minimum.
typedef struct parts {
    double scale, minimum;
    int32_t integer;
} parts;

static int32_t integer_at(const char *bytes, ck_weight_type type, int32_t i, int32_t column)
{
    if (!is_nibble_type(type)) return (signed char)bytes[(i / 4 * 16 + column) * 4 + i % 4];
    const int32_t byte = (unsigned char)bytes[(i % 16 / 4 * 16 + column) * 4 + i % 4];
    return i < 16 ? byte % 16 : byte / 16;
}

static parts parts_at(const char *panel, ck_weight_type type, int32_t k, int32_t column)
{
    const int32_t group = k / 32, i = k % 32;
    const size_t bytes = group_bytes(type);
    if (!is_run_type(type)) {
        const char *pair = panel + (size_t)(group / 2) * (64 + 2 * bytes);
        const int32_t q = integer_at(pair + 64 + (size_t)(group % 2) * bytes, type, i, column);
        return (parts){half_at(pair, group % 2 * 16 + column), 0, type == CK_WEIGHT_I4 ? q - 8 : q};
    }
    const char *run = panel + (size_t)(group / 8) * (128 + 8 * (64 + bytes));
    const char *scales = run + 128 + (size_t)(group % 8) * (64 + bytes);
    const double first = ((const float *)run)[column] * half_at(scales, column);
    const double second = ((const float *)run)[16 + column] * half_at(scales, 16 + column);
    const int32_t q = integer_at(scales + 64, type, i, column);
    if (type == CK_WEIGHT_I8H) return (parts){i < 16 ? first : second, 0, q};
    return (parts){first, second, type == CK_WEIGHT_I8A ? q + 128 : q};
}

// Numbers around 1, also negative.
static uint16_t random_half(void)
{
    return (uint16_t)(check_below(2) << 15 | (13 + check_below(4)) << 10 | check_below(1024));
}

static void fill_scales(char *panel, ck_weight_type type, size_t panel_bytes)
{
    const size_t group = 64 + group_bytes(type), pair = 64 + 2 * group_bytes(type);
    for (size_t at = 0; !is_run_type(type) && at < panel_bytes; at += pair)
        for (int32_t i = 0; i < 32; i++) ((uint16_t *)(panel + at))[i] = random_half();
    for (size_t run = 0; is_run_type(type) && run < panel_bytes; run += 128 + 8 * group) {
        for (int32_t i = 0; i < 32; i++) ((float *)(panel + run))[i] = 0.5f + (float)check_below(1000) / 999;
        for (size_t at = run + 128; at < panel_bytes && at < run + 128 + 8 * group; at += group)
            for (int32_t i = 0; i < 32; i++) ((uint16_t *)(panel + at))[i] = random_half();
    }
}

// Every byte of the integers at random, with the extremes often.
static char *make_panels(ck_weight_type type, int32_t panels, size_t stride_bytes)
{
    char *memory = check_bytes((size_t)panels * stride_bytes, 64);
    for (size_t i = 0; i < (size_t)panels * stride_bytes; i++)
        memory[i] = (char)(check_below(8) ? check_below(256) : check_below(2) ? 0x80 : 0x7f);
    for (int32_t p = 0; p < panels; p++) fill_scales(memory + (size_t)p * stride_bytes, type, stride_bytes);
    check_make_read_only(memory);
    return memory;
}

typedef struct int_rows {
    float *x, *scales;
    int8_t *bytes;
    int32_t *sums;
    size_t groups, stride;
} int_rows;

// What rows may hold: a product of bytes may want its pairs bounded.
static bool wants_bounded_pairs(const check_case *c, const int_format *f)
{
    return c->kernels->i8_activation == CK_ACTIVATION_I8_PAIRS && !is_nibble_type(f->type);
}

static int_rows make_rows(const check_case *c, const int_format *f, int32_t rows, int32_t depth)
{
    const size_t groups = (size_t)(depth + 31) / 32, stride = 32 * groups + 32;
    int_rows made = {.groups = groups, .stride = stride};
    made.x = check_random((size_t)rows * (size_t)depth);
    made.bytes = check_bytes((size_t)rows * stride, 1);
    made.scales = check_floats((size_t)rows * groups);
    made.sums = check_bytes(2 * (size_t)rows * groups * sizeof(int32_t), sizeof(int32_t));
    for (int32_t r = 0; r < rows; r++) {
        const ck_i8_row row = {
            .x = made.x + (size_t)r * (size_t)depth,
            .count = depth,
            .bounds_pairs = wants_bounded_pairs(c, f),
            .out = made.bytes + (size_t)r * stride,
            .scales = made.scales + (size_t)r * groups,
            .sums = made.sums + 2 * (size_t)r * groups,
        };
        c->kernels->i8_round_row(&row);
    }
    return made;
}

static void compare_output(const ck_linear_tile *t, const int_format *f, const int_rows *rows, int32_t r, int32_t c)
{
    const char *panel = (const char *)t->panels + (size_t)(c / 16) * t->panel_stride_bytes;
    double sum = 0, magnitude = 0;
    for (int32_t k = 0; k < t->depth; k++) {
        const double x = f->int_x ? (double)rows->bytes[(size_t)r * rows->stride + (size_t)k] *
                                        rows->scales[(size_t)r * rows->groups + (size_t)(k / 32)]
                                  : rows->x[(size_t)r * (size_t)t->depth + (size_t)k];
        const parts w = parts_at(panel, f->type, k, c % 16);
        sum += x * (w.integer * w.scale + w.minimum);
        magnitude += fabs(x) * (fabs(w.integer * w.scale) + fabs(w.minimum));
    }
    check_near(t->out[(size_t)r * t->out_stride + (size_t)c], sum, (t->depth + 2) * (double)FLT_EPSILON * magnitude,
               "sum", c);
}

static void check_int_tile(const check_case *c, const int_format *f, int32_t num_rows, int32_t panels, int32_t depth)
{
    const int_rows rows = make_rows(c, f, num_rows, depth);
    const size_t width = (size_t)(16 * panels);
    ck_linear_tile t = {
        .x = f->int_x ? (const void *)rows.bytes : rows.x,
        .x_stride = f->int_x ? rows.stride : (size_t)depth,
        .x_scales = rows.scales,
        .x_sums = rows.sums,
        .panel_stride_bytes = ck_panel_bytes(f->type, depth),
        .out_stride = width + 3,
        .num_rows = num_rows,
        .num_panels = panels,
        .depth = depth,
    };
    t.panels = make_panels(f->type, panels, t.panel_stride_bytes);
    t.out = check_floats((size_t)(num_rows - 1) * t.out_stride + width);
    f->tile(&t);
    for (int32_t r = 0; r < num_rows; r++) {
        for (int32_t column = 0; column < 16 * panels; column++) compare_output(&t, f, &rows, r, column);
        if (r + 1 < num_rows) check_poison(t.out + (size_t)r * t.out_stride + width, 3, "between rows");
    }

    // A row alone, by one panel alone, has the bits it has in company.
    float *alone = check_floats(16);
    const int32_t r = check_below(num_rows), p = check_below(panels);
    ck_linear_tile single = t;
    single.x = (const char *)t.x + (size_t)r * t.x_stride * (f->int_x ? 1 : sizeof(float));
    single.x_scales = t.x_scales + (size_t)r * rows.groups;
    single.x_sums = t.x_sums + 2 * (size_t)r * rows.groups;
    single.panels = (const char *)t.panels + (size_t)p * t.panel_stride_bytes;
    single.out = alone, single.out_stride = 16, single.num_rows = 1, single.num_panels = 1;
    f->tile(&single);
    check_same_bits(alone, t.out + (size_t)r * t.out_stride + 16 * p, 16, "row alone");
    check_release();
}

// Sums of the largest products there are: all weights one byte, all of x as large as it may be, of one sign, of the
// other or in turn.
static void check_int_extremes(const check_case *c, const int_format *f)
{
    enum { ROWS = 3, DEPTH = 64 };
    const uint8_t weights[] = {0x00, 0x7f, 0x80, 0xff};
    int_rows rows = make_rows(c, f, ROWS, DEPTH);
    for (int32_t r = 0; r < ROWS; r++) {
        for (int32_t k = 0; k < DEPTH; k++) {
            const int32_t most = wants_bounded_pairs(c, f) ? 64 : 127, sign = r == 2 && k % 4 / 2 ? -1 : 1;
            rows.bytes[(size_t)r * rows.stride + (size_t)k] = (int8_t)(r == 1 ? -most : sign * most);
        }
        int32_t *sums = rows.sums + 2 * (size_t)r * rows.groups;
        for (size_t g = 0; g < rows.groups; g++) {
            sums[2 * g] = sums[2 * g + 1] = 0;
            for (size_t k = 0; k < 32; k++) {
                const int32_t x = rows.bytes[(size_t)r * rows.stride + 32 * g + k];
                sums[2 * g] += x;
                if (k < 16) sums[2 * g + 1] += x;
            }
        }
    }
    for (int i = 0; i < 4; i++) {
        const size_t stride = ck_panel_bytes(f->type, DEPTH);
        char *panel = check_bytes(stride, 64);
        memset(panel, weights[i], stride);
        fill_scales(panel, f->type, stride);
        ck_linear_tile t = {
            .x = rows.bytes, .x_stride = rows.stride, .x_scales = rows.scales, .x_sums = rows.sums, .panels = panel,
            .panel_stride_bytes = stride, .out = check_floats(16 * ROWS), .out_stride = 16, .num_rows = ROWS,
            .num_panels = 1, .depth = DEPTH,
        };
        f->tile(&t);
        for (int32_t r = 0; r < ROWS; r++)
            for (int32_t column = 0; column < 16; column++) compare_output(&t, f, &rows, r, column);
    }
    check_release();
}

static void check_int_format(const check_case *c, int_format f)
{
    if (f.int_x) check_int_extremes(c, &f);
    const int32_t depths[] = {1, 31, 32, 33, 64, 77, 96};
    for (int32_t rows = 1; rows <= CK_TILE_ROWS_MAX; rows++)
        for (int32_t panels = 1; panels <= CK_TILE_PANELS_MAX; panels++)
            check_int_tile(c, &f, rows, panels, depths[(rows + panels) % 7]);
    check_int_tile(c, &f, 1, CK_TILE_PANELS_MAX, 896);
    check_int_tile(c, &f, 5, 3, 300);
    check_int_tile(c, &f, 3, 2, 257);
}

void check_linear_tile_i8(const check_case *c)
{
    check_int_format(c, (int_format){CK_WEIGHT_I8, false, c->kernels->linear_tile_i8});
}

void check_linear_tile_i8_i8x(const check_case *c)
{
    check_int_format(c, (int_format){CK_WEIGHT_I8, true, c->kernels->linear_tile_i8_i8x});
}

void check_linear_tile_i4(const check_case *c)
{
    check_int_format(c, (int_format){CK_WEIGHT_I4, false, c->kernels->linear_tile_i4});
}

void check_linear_tile_i4_i8x(const check_case *c)
{
    check_int_format(c, (int_format){CK_WEIGHT_I4, true, c->kernels->linear_tile_i4_i8x});
}

void check_linear_tile_i8a(const check_case *c)
{
    check_int_format(c, (int_format){CK_WEIGHT_I8A, false, c->kernels->linear_tile_i8a});
}

void check_linear_tile_i8a_i8x(const check_case *c)
{
    check_int_format(c, (int_format){CK_WEIGHT_I8A, true, c->kernels->linear_tile_i8a_i8x});
}

void check_linear_tile_i4a(const check_case *c)
{
    check_int_format(c, (int_format){CK_WEIGHT_I4A, false, c->kernels->linear_tile_i4a});
}

void check_linear_tile_i4a_i8x(const check_case *c)
{
    check_int_format(c, (int_format){CK_WEIGHT_I4A, true, c->kernels->linear_tile_i4a_i8x});
}

void check_linear_tile_i8h(const check_case *c)
{
    check_int_format(c, (int_format){CK_WEIGHT_I8H, false, c->kernels->linear_tile_i8h});
}

void check_linear_tile_i8h_i8x(const check_case *c)
{
    check_int_format(c, (int_format){CK_WEIGHT_I8H, true, c->kernels->linear_tile_i8h_i8x});
}

static void check_group(const float *x, int32_t count, bool bounds_pairs, const int8_t *out, float scale,
                        const int32_t *sums)
{
    const float steps = bounds_pairs ? 63.5f : 127;
    float most = 0;
    bool is_finite = true;
    for (int32_t k = 0; k < count; k++) {
        if (!isfinite(x[k])) is_finite = false;
        const float next = k + 1 < count ? x[k + 1] : 0;
        if (!bounds_pairs) most = fmaxf(most, fabsf(x[k]));
        else if (k % 2 == 0) most = fmaxf(most, 0.5f * fabsf(x[k]) + 0.5f * fabsf(next));
    }
    for (int32_t k = 0; bounds_pairs && k < 32; k += 2)
        check(abs(out[k]) + abs(out[k + 1]) <= 128, "a pair of %d and %d", out[k], out[k + 1]);
    int32_t halves[2] = {0, 0};
    for (int32_t k = 0; k < 32; k++) {
        const bool counts = k < count && is_finite && most >= 0x1p-100f;
        const float expected = counts ? nearbyintf(x[k] * (steps / most)) : 0;
        check((float)out[k] == expected, "%a of %a became %d", (double)(k < count ? x[k] : 0), (double)most, out[k]);
        halves[k / 16] += out[k];
    }
    check(sums[0] == halves[0] + halves[1], "sum %d, not %d", sums[0], halves[0] + halves[1]);
    check(sums[1] == halves[0], "sum of the first half %d, not %d", sums[1], halves[0]);
    if (!is_finite) check(isnan(scale), "scale of a group that is not finite is %g", (double)scale);
    else check(scale == (most < 0x1p-100f ? 0 : most / steps), "scale %a of %a", (double)scale, (double)most);
}

static void check_rounding(const check_case *c, bool bounds_pairs)
{
    const float special[] = {0, -0.0f, INFINITY, -INFINITY, NAN, FLT_MAX, -FLT_MAX, 0x1p-101f, 1e-45f, 0x1p-99f, 1, -1};
    const int32_t counts[] = {1, 31, 32, 33, 64, 200};
    for (int s = 0; s < 6; s++) {
        for (int32_t turn = 0; turn < 12; turn++) {
            const int32_t count = counts[s], groups = (count + 31) / 32;
            float *x = check_random((size_t)count), *scales = check_floats((size_t)groups);
            x[check_below(count)] = special[turn];
            for (int32_t k = 0; turn == 7 && k < count; k++) x[k] *= 0x1p-101f;
            int8_t *out = check_bytes((size_t)(32 * groups), 1);
            int32_t *sums = check_bytes(2 * (size_t)groups * sizeof *sums, sizeof *sums);
            const ck_i8_row row = {.x = x, .count = count, .bounds_pairs = bounds_pairs, .out = out, .scales = scales,
                                   .sums = sums};
            c->kernels->i8_round_row(&row);
            for (int32_t g = 0; g < groups; g++)
                check_group(x + 32 * g, count - 32 * g < 32 ? count - 32 * g : 32, bounds_pairs, out + 32 * g,
                            scales[g], sums + 2 * g);
            check_release();
        }
    }
}

void check_i8_round_row(const check_case *c)
{
    check_rounding(c, false);
    check_rounding(c, true);
}
