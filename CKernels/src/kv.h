#ifndef CK_KV_INTERNAL_H
#define CK_KV_INTERNAL_H

#include "../include/ck_kv.h"

static inline int32_t ck_value_stride(int32_t head_size) { return (head_size + 15) / 16 * 16; }

/// Keys of one head in one page: [D, CK_KV_PAGE].
static inline float *ck_key_page(const ck_kv_f32 *kv, int32_t page, int32_t head)
{
    const size_t heads = (size_t)kv->num_kv_heads, size = (size_t)kv->head_size;
    return kv->k + ((size_t)page * heads + (size_t)head) * size * CK_KV_PAGE;
}

/// Values of one head in one page: [CK_KV_PAGE, Dv].
static inline float *ck_value_page(const ck_kv_f32 *kv, int32_t page, int32_t head)
{
    const size_t heads = (size_t)kv->num_kv_heads, stride = (size_t)ck_value_stride(kv->head_size);
    return kv->v + ((size_t)page * heads + (size_t)head) * stride * CK_KV_PAGE;
}

/// The slot's row of the page table.
static inline const int32_t *ck_slot_pages(const ck_kv_f32 *kv, int32_t slot)
{
    return kv->page_table + (size_t)slot * kv->page_table_stride;
}

#endif
