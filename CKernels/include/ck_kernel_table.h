#ifndef CK_KERNEL_TABLE_H
#define CK_KERNEL_TABLE_H

#include "ck_linear.h"

/// Product of a few rows with a few panels.
///
///     out[r, c] = sum over k of x[r, k] * panel[c / 16][k][c % 16],  ascending k, one accumulator
///
/// Shapes    x [num_rows, x_stride] of float, or of bf16 (linear_tile_bf16_bf16x: depth rounded up to even, the
///           odd element zero); out [num_rows, out_stride], 16 * num_panels columns
/// Requires  1 <= num_rows <= CK_TILE_ROWS_MAX, 1 <= num_panels <= CK_TILE_PANELS_MAX, depth >= 1,
///           panels 64-byte aligned, panel_stride_bytes apart
/// Numerics  bits of out[r, c] depend on row r and column c alone.
typedef struct ck_linear_tile {
    const void *x;
    size_t x_stride;
    const void *panels;
    size_t panel_stride_bytes;
    float *out;
    size_t out_stride;
    int32_t num_rows;
    int32_t num_panels;
    int32_t depth;
} ck_linear_tile;

/// Finishes one row of a tile: adds bias, applies the epilogue, stores.
///
/// Shapes    product [count], bias [count] or NULL, out [count]; for SWIGLU product and bias hold 16 gate columns,
///           16 up columns, and so on: count counts outputs, so 2 * count rounded up to 32 are there.
typedef struct ck_epilogue_row {
    const float *product;
    const float *bias;
    float *out;
    int32_t count;
    ck_epilogue epilogue;
} ck_epilogue_row;

/// One instruction set's micro-kernels. Every pointer is set in every table.
typedef struct ck_kernel_table {
    ck_isa isa;
    int32_t vector_lanes;         ///< floats in a register: tests take their edge sizes from it
    int32_t linear_tile_panels;   ///< panels worth giving one linear_tile call when rows are many
    ck_activation bf16_activation;  ///< what its bf16 instructions want
#define CK_KERNEL(name, parameters) void(*name) parameters;
#include "kernels.def"
#undef CK_KERNEL
} ck_kernel_table;

/// The table of `isa`, or NULL where this build or this machine has none.
const ck_kernel_table *ck_kernels(ck_isa isa);

/// Names of the rows of the list, in order, ended by NULL.
const char *const *ck_kernel_names(void);

#endif
