#ifndef CK_KV_H
#define CK_KV_H

#include <stddef.h>
#include <stdint.h>

// Paged cache of keys and values (Kwon et al., "PagedAttention", 2023).
//
// A slot's history is cut into pages of CK_KV_PAGE positions. Each layer has two pools, one of key pages and
// one of value pages; page numbers are shared: a page number names the same positions in every layer.
//
//     keys    [pages, Hkv] of  { scales [CK_KV_PAGE], elements [D, CK_KV_PAGE] }
//                                positions innermost: vector lanes run over keys, so that scores need no horizontal
//                                sums
//     values  [pages, Hkv] of  { scales [CK_KV_PAGE], elements [CK_KV_PAGE, Dv] }
//                                Dv = D rounded up to 16: lanes run over the columns of the output
//
// Elements are of a ck_kv_type; only int8 has scales, floats, one for each position and head: an element stands for
// its integer times the scale. They belong to one position, and not to a page, whose greatest element grows as
// positions come: what a position holds then depends on its own key and value alone.
//
// What the padding columns D...Dv - 1 hold, and positions not yet written, never reaches a result: NaN may be
// there.

/// Positions of one page.
enum { CK_KV_PAGE = 32 };

/// Type of the elements of a cache.
typedef enum ck_kv_type {
    CK_KV_F32 = 0,
    CK_KV_F16 = 1,
    CK_KV_BF16 = 2,
    CK_KV_I8 = 3,  ///< -127...127, and a float for each position and head
} ck_kv_type;

enum { CK_KV_TYPE_COUNT = 4 };

/// Dv: elements from one position's value to the next.
int32_t ck_kv_value_stride(int32_t head_size);

/// Bytes of one page of keys, and of one page of values, of one layer. Multiples of 64 where D is even.
size_t ck_kv_k_page_bytes(ck_kv_type type, int32_t num_kv_heads, int32_t head_size);
size_t ck_kv_v_page_bytes(ck_kv_type type, int32_t num_kv_heads, int32_t head_size);

/// One layer's cache, as an op sees it.
typedef struct ck_kv {
    void *k;                      ///< pool of key pages, 64-byte aligned
    void *v;                      ///< pool of value pages, 64-byte aligned
    const int32_t *page_table;    ///< [slots, page_table_stride] page number of positions 32i... of a slot
    size_t page_table_stride;
    int32_t num_kv_heads;         ///< Hkv
    int32_t head_size;            ///< D
    ck_kv_type type;
} ck_kv;

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
