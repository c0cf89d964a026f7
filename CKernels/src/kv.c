#include "kv.h"

int32_t ck_kv_value_stride(int32_t head_size) { return ck_value_stride(head_size); }

size_t ck_kv_k_page_bytes(ck_kv_type type, int32_t num_kv_heads, int32_t head_size)
{
    return (size_t)num_kv_heads * ck_kv_head_bytes(type, head_size);
}

size_t ck_kv_v_page_bytes(ck_kv_type type, int32_t num_kv_heads, int32_t head_size)
{
    return (size_t)num_kv_heads * ck_kv_head_bytes(type, ck_value_stride(head_size));
}
