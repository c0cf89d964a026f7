#ifndef CK_WORK_QUEUE_H
#define CK_WORK_QUEUE_H

#include "parallel.h"

#include <stdatomic.h>

enum { CK_QUEUE_PARTS = 4, CK_CACHE_LINE = 64 };

/// Units of one op that threads take as they get to them, each from the front of its own share and, once that is
/// gone, from the back of another's. An even split would wait for the slower thread, and on a machine shared with
/// others one of them usually is.
typedef struct ck_work_queue {
    int32_t num_shares;
    struct {
        _Alignas(CK_CACHE_LINE) _Atomic uint64_t rest;  // begin in the high half, end in the low one
    } shares[CK_THREADS_MAX];
} ck_work_queue;

static inline uint64_t ck_pack_range(ck_range range)
{
    return (uint64_t)(uint32_t)range.begin << 32 | (uint32_t)range.end;
}

/// Shares `count` units among `num_threads`, in ranges that ck_share gives. Before the threads start.
static inline void ck_queue_fill(ck_work_queue *queue, int32_t count, int32_t num_threads)
{
    queue->num_shares = num_threads;
    for (int32_t i = 0; i < num_threads; i++)
        atomic_init(&queue->shares[i].rest, ck_pack_range(ck_share(count, i, num_threads)));
}

/// Sizes of the pieces handed out: a quarter of what is left in multiples of `multiple`, `least` once less than two
/// such are left. least <= multiple.
typedef struct ck_piece_size {
    int32_t multiple, least;
} ck_piece_size;

/// A piece of share `share`. Empty when nothing is left.
static inline ck_range ck_queue_take_from(ck_work_queue *queue, int32_t share, bool from_front, ck_piece_size size)
{
    _Atomic uint64_t *rest = &queue->shares[share].rest;
    uint64_t found = atomic_load_explicit(rest, memory_order_relaxed);
    for (;;) {
        const ck_range left = {(int32_t)(found >> 32), (int32_t)(uint32_t)found};
        const int32_t count = left.end - left.begin;
        if (count <= 0) return (ck_range){0, 0};
        int32_t taken = size.least;
        if (count >= 2 * size.multiple) {
            taken = (count / CK_QUEUE_PARTS + size.multiple - 1) / size.multiple * size.multiple;
            if (taken == 0) taken = size.multiple;
        }
        if (taken > count) taken = count;
        const int32_t cut = from_front ? left.begin + taken : left.end - taken;
        const ck_range part = from_front ? (ck_range){left.begin, cut} : (ck_range){cut, left.end};
        const ck_range remaining = from_front ? (ck_range){cut, left.end} : (ck_range){left.begin, cut};
        // Nothing but the range itself passes between threads, so no order is asked for.
        if (atomic_compare_exchange_weak_explicit(rest, &found, ck_pack_range(remaining), memory_order_relaxed,
                                                  memory_order_relaxed))
            return part;
    }
}

/// The next units of `thread`: every unit is handed out once. Empty when all are.
static inline ck_range ck_queue_take(ck_work_queue *queue, int32_t thread, ck_piece_size size)
{
    for (int32_t i = 0; i < queue->num_shares; i++) {
        const int32_t share = (thread + i) % queue->num_shares;
        const ck_range part = ck_queue_take_from(queue, share, i == 0, size);
        if (part.end > part.begin) return part;
    }
    return (ck_range){0, 0};
}

#endif
