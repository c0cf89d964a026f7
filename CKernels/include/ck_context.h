#ifndef CK_CONTEXT_H
#define CK_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Instruction sets with a table of micro-kernels. The order within one architecture is the order of
/// preference: the last runnable one is the best.
typedef enum ck_isa {
    CK_ISA_PORTABLE = 0,
    CK_ISA_AVX2 = 1,         // AVX2, FMA, F16C
    CK_ISA_AVX2_VNNI = 2,    // the same with AVX-VNNI
    CK_ISA_AVX512 = 3,       // AVX-512 F, BW, DQ, VL
    CK_ISA_AVX512_VNNI = 4,  // the same with VNNI
    CK_ISA_AVX512_BF16 = 5,  // the same with VNNI and BF16
    CK_ISA_NEON = 6,         // arm64 baseline
    CK_ISA_NEON_DOT = 7,     // arm64 with FEAT_DotProd
    CK_ISA_NEON_BF16 = 8,    // arm64 with FEAT_DotProd and FEAT_BF16
} ck_isa;
enum { CK_ISA_COUNT = 9, CK_THREADS_MAX = 256 };

typedef enum ck_status {
    CK_OK = 0,
    CK_ERROR_ISA_NOT_RUNNABLE = 1,
    CK_ERROR_THREAD_COUNT = 2,
    CK_ERROR_OUT_OF_MEMORY = 3,
} ck_status;

/// Short stable name: "portable", "avx2", "avx2_vnni", "avx512", "avx512_vnni", "avx512_bf16", "neon", "neon_dot",
/// "neon_bf16".
const char *ck_isa_name(ck_isa isa);

/// Whether this build has the table and this processor *and* its operating system run it (CPUID and XCR0).
bool ck_isa_runnable(ck_isa isa);

/// The best runnable instruction set.
ck_isa ck_isa_best(void);

/// What every op is given: one table of micro-kernels, chosen once, and a number of threads.
/// Immutable after creation, so it may be shared by threads.
typedef struct ck_context ck_context;

/// Creates a context on `isa` with `num_threads` threads (1...CK_THREADS_MAX).
/// On failure `*context` is NULL and nothing was allocated.
ck_status ck_context_create(ck_isa isa, int32_t num_threads, ck_context **context);
void ck_context_destroy(ck_context *context);

ck_isa ck_context_isa(const ck_context *context);
int32_t ck_context_num_threads(const ck_context *context);

/// Runs `body(argument)` on the calling thread with the other threads at hand: ops that it calls on `context` start
/// within a fraction of a microsecond, where a region for each would take several. Results are the same bits.
void ck_with_team(const ck_context *context, void (*body)(void *argument), void *argument);

/// Threads that really take part in a parallel region of `context`: counted, not assumed.
int32_t ck_context_count_threads(const ck_context *context);

#endif
