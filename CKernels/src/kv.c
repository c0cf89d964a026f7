#include "kv.h"

int32_t ck_kv_value_stride(int32_t head_size) { return ck_value_stride(head_size); }

size_t ck_kv_k_page_elements(int32_t num_kv_heads, int32_t head_size)
{
    return (size_t)num_kv_heads * (size_t)head_size * CK_KV_PAGE;
}

size_t ck_kv_v_page_elements(int32_t num_kv_heads, int32_t head_size)
{
    return (size_t)num_kv_heads * (size_t)ck_value_stride(head_size) * CK_KV_PAGE;
}
