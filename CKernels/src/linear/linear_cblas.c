#include "linear_cblas.h"

#include <string.h>

enum { CBLAS_ROWS = 8 };

#ifndef CK_NO_CBLAS
#include <cblas.h>

bool ck_has_cblas(void) { return true; }

size_t ck_cblas_scratch_bytes(int32_t num_rows, int32_t num_inputs)
{
    // A tile may start at any row: one more tile of zeros keeps its last row inside.
    return ((size_t)num_rows + CBLAS_ROWS) * (size_t)num_inputs * sizeof(float);
}

const float *ck_cblas_pad_rows(const ck_linear_args *args)
{
    float *copy = args->scratch;
    const size_t depth = (size_t)args->num_inputs;
    for (int32_t t = 0; t < args->num_rows; t++)
        memcpy(copy + (size_t)t * depth, args->x + (size_t)t * args->x_stride, depth * sizeof(float));
    memset(copy + (size_t)args->num_rows * depth, 0, CBLAS_ROWS * depth * sizeof(float));
    return copy;
}

void ck_linear_tile_cblas(const ck_linear_tile *tile)
{
    float product[CBLAS_ROWS * CK_PANEL_COLUMNS];
    for (int32_t p = 0; p < tile->num_panels; p++) {
        const float *panel = (const float *)((const char *)tile->panels + (size_t)p * tile->panel_stride_bytes);
        for (int32_t row = 0; row < tile->num_rows; row += CBLAS_ROWS) {
            const float *x = (const float *)tile->x + (size_t)row * tile->x_stride;
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, CBLAS_ROWS, CK_PANEL_COLUMNS, tile->depth, 1.0f,
                        x, (int)tile->x_stride, panel, CK_PANEL_COLUMNS, 0.0f, product, CK_PANEL_COLUMNS);
            for (int32_t r = row; r < tile->num_rows && r < row + CBLAS_ROWS; r++)
                memcpy(tile->out + (size_t)r * tile->out_stride + p * CK_PANEL_COLUMNS,
                       product + (r - row) * CK_PANEL_COLUMNS, CK_PANEL_COLUMNS * sizeof(float));
        }
    }
}
#else
bool ck_has_cblas(void) { return false; }
size_t ck_cblas_scratch_bytes(int32_t num_rows, int32_t num_inputs) { return (void)num_rows, (void)num_inputs, 0; }
const float *ck_cblas_pad_rows(const ck_linear_args *args) { return args->x; }
void ck_linear_tile_cblas(const ck_linear_tile *tile) { (void)tile; }
#endif
