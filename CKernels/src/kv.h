#ifndef CK_KV_INTERNAL_H
#define CK_KV_INTERNAL_H

#include "../include/ck_kv.h"

static inline int32_t ck_value_stride(int32_t head_size) { return (head_size + 15) / 16 * 16; }

static inline size_t ck_kv_element_bytes(ck_kv_type type)
{
    return type == CK_KV_F32 ? 4 : type == CK_KV_I8 ? 1 : 2;
}

/// Bytes of the scales before the elements of one head in one page.
static inline size_t ck_kv_scale_bytes(ck_kv_type type) { return type == CK_KV_I8 ? CK_KV_PAGE * sizeof(float) : 0; }

/// Bytes of one head in one page, `columns` elements for each position.
static inline size_t ck_kv_head_bytes(ck_kv_type type, int32_t columns)
{
    return ck_kv_scale_bytes(type) + CK_KV_PAGE * (size_t)columns * ck_kv_element_bytes(type);
}

/// Keys of one head in one page, from the scales on. `type` is that of the cache: known at compile time where it
/// matters.
static inline char *ck_key_page(const ck_kv *kv, ck_kv_type type, int32_t page, int32_t head)
{
    const size_t index = (size_t)page * (size_t)kv->num_kv_heads + (size_t)head;
    return (char *)kv->k + index * ck_kv_head_bytes(type, kv->head_size);
}

/// Values of one head in one page, from the scales on.
static inline char *ck_value_page(const ck_kv *kv, ck_kv_type type, int32_t page, int32_t head)
{
    const size_t index = (size_t)page * (size_t)kv->num_kv_heads + (size_t)head;
    return (char *)kv->v + index * ck_kv_head_bytes(type, ck_value_stride(kv->head_size));
}

/// The slot's row of the page table.
static inline const int32_t *ck_slot_pages(const ck_kv *kv, int32_t slot)
{
    return kv->page_table + (size_t)slot * kv->page_table_stride;
}

#endif
