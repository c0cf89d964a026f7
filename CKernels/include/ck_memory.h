#ifndef CK_MEMORY_H
#define CK_MEMORY_H

#include "ck_context.h"

/// Reads memory once and sums its 32-bit words modulo 2^32: what a pass over weights costs when nothing is
/// computed with them, so the measure of a memory-bound op.
///
/// Shapes    words [count]
/// Numerics  exact, so the same on every instruction set and with any number of threads.
/// Threads   each reads one contiguous share, in the order in which linear layers stream panels.
uint32_t ck_memory_sum(const ck_context *context, const uint32_t *words, size_t count);

/// Sets every word to `value`, each thread the share that it reads in ck_memory_sum, so that memory is first
/// touched by the thread that reads it. (Pages never written are all one page of zeros: reading them measures a
/// cache.)
///
/// Writes    words [count]
void ck_memory_fill(const ck_context *context, uint32_t *words, size_t count, uint32_t value);

#endif
