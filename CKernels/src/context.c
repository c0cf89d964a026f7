#include "cpu.h"
#include "parallel.h"

#include <stdatomic.h>
#include <stdlib.h>

#ifndef CK_NO_CBLAS
#if !__has_include(<cblas.h>)
#error "cblas.h not found: install OpenBLAS (Debian and Ubuntu: apt-get install libopenblas-dev; macOS: brew install openblas)"
#endif
extern void openblas_set_num_threads(int num_threads);
#endif

#define DECLARE(isa) extern const ck_kernel_table ck_kernels_##isa
DECLARE(portable);
#if defined(__x86_64__)
DECLARE(avx2);
DECLARE(avx2_vnni);
DECLARE(avx512);
DECLARE(avx512_vnni);
DECLARE(avx512_bf16);
#elif defined(__aarch64__)
DECLARE(neon);
DECLARE(neon_dot);
DECLARE(neon_bf16);
#endif
#undef DECLARE

const char *ck_isa_name(ck_isa isa)
{
    static const char *const names[CK_ISA_COUNT] = {"portable",    "avx2",        "avx2_vnni", "avx512",
                                                     "avx512_vnni", "avx512_bf16", "neon",      "neon_dot",
                                                     "neon_bf16"};
    return (int)isa >= 0 && (int)isa < CK_ISA_COUNT ? names[isa] : "unknown";
}

bool ck_isa_runnable(ck_isa isa) { return ck_kernels(isa) != NULL; }

ck_isa ck_isa_best(void)
{
    int32_t best = CK_ISA_COUNT - 1;
    while (best > CK_ISA_PORTABLE && !ck_isa_runnable((ck_isa)best)) best--;
    return (ck_isa)best;
}

const ck_kernel_table *ck_kernels(ck_isa isa)
{
    if ((int)isa < 0 || (int)isa >= CK_ISA_COUNT || !ck_cpu_runs(isa)) return NULL;
    switch (isa) {
    case CK_ISA_PORTABLE: return &ck_kernels_portable;
#if defined(__x86_64__)
    case CK_ISA_AVX2: return &ck_kernels_avx2;
    case CK_ISA_AVX2_VNNI: return &ck_kernels_avx2_vnni;
    case CK_ISA_AVX512: return &ck_kernels_avx512;
    case CK_ISA_AVX512_VNNI: return &ck_kernels_avx512_vnni;
    case CK_ISA_AVX512_BF16: return &ck_kernels_avx512_bf16;
#elif defined(__aarch64__)
    case CK_ISA_NEON: return &ck_kernels_neon;
    case CK_ISA_NEON_DOT: return &ck_kernels_neon_dot;
    case CK_ISA_NEON_BF16: return &ck_kernels_neon_bf16;
#endif
    default: return NULL;
    }
}

const char *const *ck_kernel_names(void)
{
    static const char *const names[] = {
#define CK_KERNEL(name, parameters) #name,
#include "kernels.def"
#undef CK_KERNEL
        NULL};
    return names;
}

ck_status ck_context_create(ck_isa isa, int32_t num_threads, ck_context **context)
{
    *context = NULL;
    if (num_threads < 1 || num_threads > CK_THREADS_MAX) return CK_ERROR_THREAD_COUNT;
    const ck_kernel_table *kernels = ck_kernels(isa);
    if (!kernels) return CK_ERROR_ISA_NOT_RUNNABLE;
    ck_context *created = malloc(sizeof *created);
    if (!created) return CK_ERROR_OUT_OF_MEMORY;
    *created = (ck_context){.kernels = kernels, .num_threads = num_threads};
#ifndef CK_NO_CBLAS
    // Tiles are given to CBLAS from our own threads: its pool must never wake beside ours.
    openblas_set_num_threads(1);
#endif
    ck_parallel_prepare();
    *context = created;
    return CK_OK;
}

void ck_context_destroy(ck_context *context) { free(context); }

ck_isa ck_context_isa(const ck_context *context) { return context->kernels->isa; }

int32_t ck_context_num_threads(const ck_context *context) { return context->num_threads; }

static void count_thread(void *argument, int32_t thread, int32_t num_threads)
{
    (void)thread;
    (void)num_threads;
    atomic_fetch_add((atomic_int *)argument, 1);
}

int32_t ck_context_count_threads(const ck_context *context)
{
    atomic_int count = 0;
    ck_parallel(context, count_thread, &count);
    return atomic_load(&count);
}
