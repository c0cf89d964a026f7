// All of OpenMP is here. Clang drops target attributes inside an outlined parallel body, so micro-kernels are
// only ever called through a table from functions that OpenMP never sees.
#include "parallel.h"

#if defined(__linux__) && defined(__x86_64__) && !__has_include("/usr/lib/x86_64-linux-gnu/libomp5.so") && \
    !__has_include("/usr/lib/libomp.so") && !__has_include("/usr/lib64/libomp.so")
#warning "libomp5.so is not in its usual place; if linking stops at -lomp5: apt-get install libomp-dev"
#endif

#ifdef _OPENMP
// The toolchain's clang brings no omp.h; these are the runtime's own names (OpenMP 5.0 3.2; libomp's kmp.h).
extern int omp_get_thread_num(void);
extern int omp_get_num_threads(void);
extern void kmp_set_blocktime(int milliseconds);

// How long a worker spins before it sleeps. Ops of one step follow each other within microseconds, and waking a
// sleeper costs some 60; libomp's own 200 ms would burn a core between requests.
enum { SPIN_MS = 2 };

void ck_parallel(const ck_context *context, ck_task *task, void *argument)
{
    if (context->num_threads == 1) {
        task(argument, 0, 1);
        return;
    }
    kmp_set_blocktime(SPIN_MS);
#pragma omp parallel num_threads(context->num_threads)
    task(argument, omp_get_thread_num(), omp_get_num_threads());
}

void ck_barrier(int32_t num_threads)
{
    if (num_threads > 1) {
#pragma omp barrier
    }
}
#else
void ck_parallel(const ck_context *context, ck_task *task, void *argument)
{
    (void)context;
    task(argument, 0, 1);
}

void ck_barrier(int32_t num_threads) { (void)num_threads; }
#endif
