#ifndef CKERNELS_H
#define CKERNELS_H

// Maths on memory. Knows no model, no file, no request.
//
// Holds for every declaration:
//   - Arrays are row-major, the last axis contiguous.
//   - Sizes, strides and indexes count elements; only names that end in _bytes count bytes.
//   - int32_t for counts and positions; products of them are computed in size_t.
//   - Pointers are valid, non-NULL unless a line says otherwise, and naturally aligned unless it says more.
//   - No function allocates, prints, exits or keeps a pointer; only ck_context_create can fail.
//     Preconditions are the caller's duty.
//   - Ops (ck_<op>) take the context, split the work over its threads and return when all of it is done.
//     They may run at once on different outputs and scratch.
//   - Micro-kernels (ck_kernel_table) are one thread's work on one unit: a row, a head, a tile.
//   - On one instruction set, a row of output has the same bits whatever the number of rows, their order, and
//     the number of threads.
//
// Shape letters in comments: T rows (tokens of all sequences in this step), S sequences, H query heads,
// Hkv key/value heads, D head size, E model width, F MLP width, V vocabulary, K and N inputs and outputs of a
// linear layer.

#include "ck_context.h"
#include "ck_linear.h"
#include "ck_kv.h"
#include "ck_norm.h"
#include "ck_rope.h"
#include "ck_attention.h"
#include "ck_sampling.h"
#include "ck_memory.h"
#include "ck_quant.h"
#include "ck_peak.h"
#include "ck_reference.h"
#include "ck_kernel_table.h"

#endif
