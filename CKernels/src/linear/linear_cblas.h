#ifndef CK_LINEAR_CBLAS_H
#define CK_LINEAR_CBLAS_H

#include "../../include/ck_kernel_table.h"

// A BLAS may sum differently for every shape it is given. Called with one fixed shape, CBLAS_ROWS rows by one panel
// at full depth, it always does the same work per row, and rows stay independent of the batch.

bool ck_has_cblas(void);

/// Room for the activations with rows rounded up to whole CBLAS tiles.
size_t ck_cblas_scratch_bytes(int32_t num_rows, int32_t num_inputs);

/// Copies args->x to args->scratch, contiguous, with rows of zeros up to a whole tile. Returns the copy.
const float *ck_cblas_pad_rows(const ck_linear_args *args);

/// linear_tile_f32 through cblas_sgemm. x must be a copy made by ck_cblas_pad_rows.
void ck_linear_tile_cblas(const ck_linear_tile *tile);

#endif
