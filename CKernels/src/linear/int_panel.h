#ifndef CK_INT_PANEL_H
#define CK_INT_PANEL_H

#include "../../include/ck_linear.h"

// Where things are in a panel of I8 or I4: pairs of groups, each pair a line of scales and the groups' integers.

// What an integer of I4 is held more than it stands for.
enum { CK_I4_ZERO = 8 };

enum { CK_SCALES_BYTES = 64, CK_GROUP_SCALES_BYTES = CK_SCALES_BYTES / 2 };

static inline bool ck_is_int_type(ck_weight_type type) { return type == CK_WEIGHT_I8 || type == CK_WEIGHT_I4; }

static inline int32_t ck_num_groups(int32_t num_inputs) { return (num_inputs + CK_GROUP - 1) / CK_GROUP; }

static inline size_t ck_group_bytes(ck_weight_type type)
{
    return (size_t)CK_GROUP * CK_PANEL_COLUMNS / (type == CK_WEIGHT_I4 ? 2 : 1);
}

static inline size_t ck_group_pair_at(ck_weight_type type, int32_t group)
{
    return (size_t)(group / 2) * (CK_SCALES_BYTES + 2 * ck_group_bytes(type));
}

/// Offset of a group's scales, one binary16 a column.
static inline size_t ck_group_scales_at(ck_weight_type type, int32_t group)
{
    return ck_group_pair_at(type, group) + (size_t)(group % 2) * CK_GROUP_SCALES_BYTES;
}

/// Offset of a group's integers.
static inline size_t ck_group_at(ck_weight_type type, int32_t group)
{
    return ck_group_pair_at(type, group) + CK_SCALES_BYTES + (size_t)(group % 2) * ck_group_bytes(type);
}

/// Offset within a group of element k = 0...31 of a column: a byte of I8, half a byte of I4, the high one for k >= 16.
static inline size_t ck_group_element_at(ck_weight_type type, int32_t k, int32_t column)
{
    const int32_t quad = type == CK_WEIGHT_I4 ? k % 16 / 4 : k / 4;
    return (size_t)((quad * CK_PANEL_COLUMNS + column) * 4 + k % 4);
}

static inline size_t ck_int_panel_bytes(ck_weight_type type, int32_t num_inputs)
{
    const int32_t groups = ck_num_groups(num_inputs);
    return ck_group_pair_at(type, groups) + (size_t)(groups % 2) * (CK_SCALES_BYTES + ck_group_bytes(type));
}

#endif
