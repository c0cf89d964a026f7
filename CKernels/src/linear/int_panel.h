#ifndef CK_INT_PANEL_H
#define CK_INT_PANEL_H

#include "../../include/ck_linear.h"

// Where things are in a panel of integers. I8 and I4: pairs of groups, each pair a line of scales and the groups'
// integers. I8A, I4A and I8H: runs of eight groups, each run a line of factors, a line of second factors, and the
// groups, each a line of scales and second scales and its integers.

// What an integer is held more than it stands for: of I4, and less, of I8A.
enum { CK_I4_ZERO = 8, CK_I8A_ZERO = -128 };

enum { CK_SCALES_BYTES = 64, CK_GROUP_SCALES_BYTES = CK_SCALES_BYTES / 2, CK_RUN_FACTORS_BYTES = 2 * CK_SCALES_BYTES };

static inline bool ck_is_int_type(ck_weight_type type) { return type >= CK_WEIGHT_I8; }

/// Whether scales are products, of a factor for each run and a small number for each group.
static inline bool ck_is_run_type(ck_weight_type type) { return type >= CK_WEIGHT_I8A; }

static inline bool ck_is_nibble_type(ck_weight_type type) { return type == CK_WEIGHT_I4 || type == CK_WEIGHT_I4A; }

static inline int32_t ck_num_groups(int32_t num_inputs) { return (num_inputs + CK_GROUP - 1) / CK_GROUP; }

static inline size_t ck_group_bytes(ck_weight_type type)
{
    return (size_t)CK_GROUP * CK_PANEL_COLUMNS / (ck_is_nibble_type(type) ? 2 : 1);
}

static inline size_t ck_group_pair_at(ck_weight_type type, int32_t group)
{
    return (size_t)(group / 2) * (CK_SCALES_BYTES + 2 * ck_group_bytes(type));
}

/// Offset of the factors of a group's run, one float a column, then the second ones.
static inline size_t ck_run_at(ck_weight_type type, int32_t group)
{
    return (size_t)(group / CK_RUN) * (CK_RUN_FACTORS_BYTES + CK_RUN * (CK_SCALES_BYTES + ck_group_bytes(type)));
}

/// Offset of a group's scales, one binary16 a column; in a run type the second ones follow.
static inline size_t ck_group_scales_at(ck_weight_type type, int32_t group)
{
    if (!ck_is_run_type(type)) return ck_group_pair_at(type, group) + (size_t)(group % 2) * CK_GROUP_SCALES_BYTES;
    return ck_run_at(type, group) + CK_RUN_FACTORS_BYTES +
           (size_t)(group % CK_RUN) * (CK_SCALES_BYTES + ck_group_bytes(type));
}

/// Offset of a group's integers.
static inline size_t ck_group_at(ck_weight_type type, int32_t group)
{
    if (ck_is_run_type(type)) return ck_group_scales_at(type, group) + CK_SCALES_BYTES;
    return ck_group_pair_at(type, group) + CK_SCALES_BYTES + (size_t)(group % 2) * ck_group_bytes(type);
}

/// From a group's integers to those of the next, and from its scales: a loop adds where the offsets above multiply.
static inline size_t ck_group_step(ck_weight_type type, int32_t group)
{
    if (!ck_is_run_type(type)) return ck_group_bytes(type) + (group % 2 ? CK_SCALES_BYTES : 0);
    return ck_group_bytes(type) + CK_SCALES_BYTES + ((group + 1) % CK_RUN ? 0 : CK_RUN_FACTORS_BYTES);
}

static inline size_t ck_group_scales_step(ck_weight_type type, int32_t group)
{
    if (ck_is_run_type(type)) return ck_group_step(type, group);
    return CK_GROUP_SCALES_BYTES + (group % 2 ? 2 * ck_group_bytes(type) : 0);
}

/// Offset within a group of element k = 0...31 of a column: a byte, or half a byte, the high one for k >= 16.
static inline size_t ck_group_element_at(ck_weight_type type, int32_t k, int32_t column)
{
    const int32_t quad = ck_is_nibble_type(type) ? k % 16 / 4 : k / 4;
    return (size_t)((quad * CK_PANEL_COLUMNS + column) * 4 + k % 4);
}

static inline size_t ck_int_panel_bytes(ck_weight_type type, int32_t num_inputs)
{
    const int32_t groups = ck_num_groups(num_inputs);
    if (ck_is_run_type(type)) return ck_group_at(type, groups - 1) + ck_group_bytes(type);
    return ck_group_pair_at(type, groups) + (size_t)(groups % 2) * (CK_SCALES_BYTES + ck_group_bytes(type));
}

#endif
