// Harness of the C tests: memory that ends at an unmapped page, poison, comparisons that NaN fails.
#ifndef CHECK_H
#define CHECK_H

#include "CKernels.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/// What a check is given: one instruction set's kernels and its edge sizes.
typedef struct check_case {
    const ck_kernel_table *kernels;
    ck_isa isa;
    int32_t sizes[6]; ///< 1, w - 1, w, w + 1, 2w + 3, 4w + 1 for w lanes (1 where w - 1 is 0)
} check_case;

enum { CHECK_SIZES = 6 };

/// Memory between two unmapped pages. Its last byte is the last of its page where the size is a multiple of
/// `alignment`; otherwise up to alignment - 1 bytes lie between, watched by check_release. Filled with NaN.
void *check_bytes(size_t bytes, size_t alignment);
float *check_floats(size_t count);
uint16_t *check_halves(size_t count);

/// check_floats, filled with values in -1...1, or read-only for good: a write to it ends the program.
float *check_random(size_t count);
void check_make_read_only(const void *memory);

/// Frees all memory of the functions above and fails where the bytes after it were written.
void check_release(void);

/// Uniform in -1...1; uniform in 0..<bound.
float check_uniform(void);
int32_t check_below(int32_t bound);

uint16_t check_bf16(float x);
float check_bf16_value(uint16_t h);
uint16_t check_f16(float x);

/// Counts a failure, with a message in printf's way, unless `holds`.
__attribute__((format(printf, 2, 3))) void check(bool holds, const char *format, ...);

/// Fails unless |value - expected| <= bound: NaN fails.
void check_near(double value, double expected, double bound, const char *what, int64_t index);
void check_same_bits(const float *a, const float *b, size_t count, const char *what);
/// Fails unless nothing was written over the poison.
void check_poison(const float *memory, size_t count, const char *what);

/// A cache of pages that hold poison, without a page table; and one element of it: of the key or value at `place`
/// of a page.
ck_kv check_kv(ck_kv_type type, int32_t pages, int32_t heads, int32_t size);
double check_kv_element(const ck_kv *kv, bool keys, int32_t page, int32_t head, int32_t place, int32_t d);

/// Random key and value, or NaN for a value.
void check_kv_fill(const ck_kv *kv, int32_t page, int32_t head, int32_t place);
void check_kv_poison_value(const ck_kv *kv, int32_t page, int32_t head, int32_t place);

// One function for each row of the kernel list.
#define CK_KERNEL(name, parameters) void check_##name(const check_case *c);
#include "kernels.def"
#undef CK_KERNEL

/// The ops through a context, on one thread and on three.
void check_linear_op(const check_case *c);
void check_embedding_op(const check_case *c);
void check_norm_ops(const check_case *c);
void check_rope_op(const check_case *c);
void check_attention_op(const check_case *c);
void check_memory_ops(const check_case *c);
void check_context(const check_case *c);

#endif
