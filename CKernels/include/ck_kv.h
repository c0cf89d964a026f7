#ifndef CK_KV_H
#define CK_KV_H

#include <stddef.h>
#include <stdint.h>

// Paged cache of keys and values (Kwon et al., "PagedAttention", 2023).
//
// A slot's history is cut into pages of CK_KV_PAGE positions. Each layer has two pools, one of key pages and
// one of value pages; page numbers are shared: a page number names the same positions in every layer.
//
//     keys    [pages, Hkv, D, CK_KV_PAGE]    positions innermost: vector lanes run over keys, so that scores need no
//                                            horizontal sums
//     values  [pages, Hkv, CK_KV_PAGE, Dv]   Dv = D rounded up to 16: lanes run over the columns of the output
//
// What the padding columns D...Dv - 1 hold, and positions not yet written, never reaches a result: NaN may be
// there.

/// Positions of one page.
enum { CK_KV_PAGE = 32 };

/// Dv: floats from one position's value to the next.
int32_t ck_kv_value_stride(int32_t head_size);

/// Elements of one page of keys, and of one page of values, of one layer.
size_t ck_kv_k_page_elements(int32_t num_kv_heads, int32_t head_size);
size_t ck_kv_v_page_elements(int32_t num_kv_heads, int32_t head_size);

/// One layer's cache of floats, as an op sees it.
typedef struct ck_kv_f32 {
    float *k;                     ///< pool of key pages, 64-byte aligned
    float *v;                     ///< pool of value pages, 64-byte aligned
    const int32_t *page_table;    ///< [slots, page_table_stride] page number of positions 32i... of a slot
    size_t page_table_stride;
    int32_t num_kv_heads;         ///< Hkv
    int32_t head_size;            ///< D
} ck_kv_f32;

/// Which rows of a step belong to which slot. Sequence s has rows row_start[s]...row_start[s + 1] - 1; with n
/// of them, row t sits at position kv_length[s] - n + (t - row_start[s]).
///
/// Requires  row_start[0] = 0, strictly increasing; slots distinct; n <= kv_length[s]; the page table names
///           distinct pages for positions 0...kv_length[s] - 1 of each listed slot.
typedef struct ck_ragged_batch {
    int32_t num_sequences;        ///< S
    const int32_t *row_start;     ///< [S + 1]; T = row_start[S]
    const int32_t *slot;          ///< [S] row of the page table
    const int32_t *kv_length;     ///< [S] positions of the slot once this step's rows are appended
} ck_ragged_batch;

#endif
