#ifndef CK_PACK_INT_H
#define CK_PACK_INT_H

#include "../../include/ck_linear.h"

/// Quantizes CK_GROUP finite weights of one column. False when the scale is too large for binary16.
bool ck_quantize_group(char *panel, ck_weight_type type, int32_t group, int32_t column, const float *weights);

/// Weight k of a column of an I8 or I4 panel: exact.
float ck_int_weight(const char *panel, ck_weight_type type, int32_t k, int32_t column);

#endif
