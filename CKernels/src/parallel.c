// All of OpenMP is here. Clang drops target attributes inside an outlined parallel body, so micro-kernels are
// only ever called through a table from functions that OpenMP never sees.
#include "parallel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

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

// The process is one, and so is its OpenMP runtime. A program may end while another of its threads is inside a
// region, and the runtime aborts when that region closes after its own clean-up. So once the process ends, threads
// that come to a region's begin or end stay there, and the end waits until all have.
static atomic_int open_regions, parked_regions;
static atomic_bool is_ending;
static pthread_t ending_thread;  // set before is_ending

static void park(void)
{
    for (;;) pause();
}

static void wait_for_open_regions(void)
{
    ending_thread = pthread_self();
    atomic_store(&is_ending, true);
    const struct timespec moment = {.tv_nsec = 100000};
    while (atomic_load(&open_regions) != atomic_load(&parked_regions)) nanosleep(&moment, NULL);
}

void ck_parallel_prepare(void)
{
    static atomic_flag is_prepared = ATOMIC_FLAG_INIT;
    if (atomic_flag_test_and_set(&is_prepared)) return;
    // The last handler registered runs first. Any call makes the runtime register its own.
    kmp_set_blocktime(SPIN_MS);
    atexit(wait_for_open_regions);
}

void ck_parallel(const ck_context *context, ck_task *task, void *argument)
{
    if (context->num_threads == 1) {
        task(argument, 0, 1);
        return;
    }
    atomic_fetch_add(&open_regions, 1);
    if (atomic_load(&is_ending)) {
        atomic_fetch_add(&parked_regions, 1);
        if (!pthread_equal(pthread_self(), ending_thread)) park();
        task(argument, 0, 1);  // a later exit handler's: bits do not depend on the number of threads
        return;
    }
    kmp_set_blocktime(SPIN_MS);
#pragma omp parallel num_threads(context->num_threads)
    {
        task(argument, omp_get_thread_num(), omp_get_num_threads());
        if (omp_get_thread_num() == 0 && atomic_load(&is_ending)) {
            atomic_fetch_add(&parked_regions, 1);
            park();
        }
    }
    atomic_fetch_sub(&open_regions, 1);
}

void ck_barrier(int32_t num_threads)
{
    if (num_threads > 1) {
#pragma omp barrier
    }
}
#else
void ck_parallel_prepare(void) {}

void ck_parallel(const ck_context *context, ck_task *task, void *argument)
{
    (void)context;
    task(argument, 0, 1);
}

void ck_barrier(int32_t num_threads) { (void)num_threads; }
#endif
