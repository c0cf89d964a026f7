#ifndef CK_PACK_INT_H
#define CK_PACK_INT_H

#include "../../include/ck_linear.h"

/// Quantizes CK_GROUP finite weights of one column in I8 or I4. False when the scale is too large for binary16.
bool ck_quantize_group(char *panel, ck_weight_type type, int32_t group, int32_t column, const float *weights);

/// One group of one column as a file has it: weight k = factor * scale * q[k], and what the type adds to it. `second`
/// belongs to second_factor: the minimum of I8A and I4A, the scale of the second half of I8H.
typedef struct ck_int_group {
    int16_t q[CK_GROUP];  ///< -127...127 in I8, -128...127 in I8H, -8...7 in I4, 0...255 in I8A, 0...15 in I4A
    float factor, second_factor;  ///< of run types: the same in all groups of a run
    float scale, second;
} ck_int_group;

/// Stores a group. False when scale, second or a factor is not finite, or scale or second is not a binary16.
bool ck_write_group(char *panel, ck_weight_type type, int32_t group, int32_t column, const ck_int_group *from);

/// Weight k of a column of a panel of integers.
float ck_int_weight(const char *panel, ck_weight_type type, int32_t k, int32_t column);

#endif
