// All of OpenMP is here. Clang drops target attributes inside an outlined parallel body, so micro-kernels are
// only ever called through a table from functions that OpenMP never sees.
#include "parallel.h"

#include <pthread.h>
#include <sched.h>
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

// How long a worker spins between regions before it sleeps. Steps follow each other within microseconds, and waking
// a sleeper costs some 60; libomp's own 200 ms would burn a core between requests.
enum { SPIN_MS = 2 };

// Turns of waiting within a region, some tens of nanoseconds each, before a thread offers its processor to others.
enum { SPIN_TURNS = 1000, CACHE_LINE = 64 };

// The process is one, and so is its OpenMP runtime. A program may end while another of its threads is inside a
// region, and the runtime aborts when that region closes after its own clean-up. So once the process ends, threads
// that come to a region's begin or an op's end stay there, and the end waits until all have or are out.
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
    for (;;) {
        // In this order: a region that opens and parks in between makes `open` larger, never equal by mistake.
        const int parked = atomic_load(&parked_regions);
        if (atomic_load(&open_regions) == parked) return;
        nanosleep(&moment, NULL);
    }
}

void ck_parallel_prepare(void)
{
    static atomic_flag is_prepared = ATOMIC_FLAG_INIT;
    if (atomic_flag_test_and_set(&is_prepared)) return;
    // The last handler registered runs first. Any call makes the runtime register its own.
    kmp_set_blocktime(SPIN_MS);
    atexit(wait_for_open_regions);
}

// Threads of one region, and what its first thread asks of the others: `posted` counts tasks, `pending` the threads
// that have not finished the last one. Each on a line of its own, since each is waited for.
typedef struct ck_team {
    const ck_context *context;
    int32_t num_threads;
    ck_task *task;  // NULL to end
    void *argument;
    _Alignas(CACHE_LINE) atomic_uint posted;
    _Alignas(CACHE_LINE) atomic_int pending;
    _Alignas(CACHE_LINE) atomic_int arrived;  // at the barrier
    _Alignas(CACHE_LINE) atomic_uint passed;  // barriers
} ck_team;

static _Thread_local ck_team *current_team;  // of the region this thread is in

static void relax(int32_t *turns)
{
    if (++*turns > SPIN_TURNS) {
        sched_yield();
        return;
    }
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void wait_while_equal(atomic_uint *counter, unsigned value)
{
    for (int32_t turns = 0; atomic_load_explicit(counter, memory_order_acquire) == value;) relax(&turns);
}

// What threads other than the first do in a region: a task whenever one is posted.
static void serve(ck_team *team, int32_t thread)
{
    current_team = team;
    for (unsigned seen = 0;; seen++) {
        wait_while_equal(&team->posted, seen);
        if (!team->task) break;
        team->task(team->argument, thread, omp_get_num_threads());
        atomic_fetch_sub_explicit(&team->pending, 1, memory_order_release);
    }
    current_team = NULL;
}

static void post(ck_team *team, ck_task *task, void *argument)
{
    team->task = task;
    team->argument = argument;
    atomic_store_explicit(&team->pending, team->num_threads - 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&team->posted, 1, memory_order_release);
}

// The first thread's part of an op, while the others serve.
static void lead(ck_team *team, ck_task *task, void *argument)
{
    post(team, task, argument);
    task(argument, 0, team->num_threads);
    for (int32_t turns = 0; atomic_load_explicit(&team->pending, memory_order_acquire) > 0;) relax(&turns);
    if (!atomic_load(&is_ending)) return;
    atomic_fetch_add(&parked_regions, 1);
    park();
}

// Whether the region may open. Threads that come here once the process ends stay, but for the one that ends it.
static bool enter_region(void)
{
    atomic_fetch_add(&open_regions, 1);
    if (!atomic_load(&is_ending)) return true;
    atomic_fetch_add(&parked_regions, 1);
    if (!pthread_equal(pthread_self(), ending_thread)) park();
    return false;
}

// Never inlined: clang asks the runtime for the thread's number at the beginning of a function that holds a region,
// and where `enter_region` may park that would be a call into a runtime that is gone.
static __attribute__((noinline)) void run_region(const ck_context *context, void (*body)(void *), void *argument)
{
    kmp_set_blocktime(SPIN_MS);
    ck_team team = {.context = context};
#pragma omp parallel num_threads(context->num_threads)
    {
        if (omp_get_thread_num() == 0) {
            team.num_threads = omp_get_num_threads();
            current_team = &team;
            body(argument);
            current_team = NULL;
            post(&team, NULL, NULL);
        } else {
            serve(&team, omp_get_thread_num());
        }
    }
}

void ck_with_team(const ck_context *context, void (*body)(void *), void *argument)
{
    // A later exit handler's ops run on one thread: bits do not depend on the number.
    if (context->num_threads == 1 || current_team || !enter_region()) {
        body(argument);
        return;
    }
    run_region(context, body, argument);
    atomic_fetch_sub(&open_regions, 1);
}

typedef struct lone_task {
    const ck_context *context;
    ck_task *task;
    void *argument;
} lone_task;

static void run_lone_task(void *argument)
{
    const lone_task *lone = argument;
    const bool is_ours = current_team && current_team->context == lone->context;
    if (is_ours) lead(current_team, lone->task, lone->argument);
    else lone->task(lone->argument, 0, 1);  // inside another context's team, or the process ends
}

void ck_parallel(const ck_context *context, ck_task *task, void *argument)
{
    if (context->num_threads == 1) {
        task(argument, 0, 1);
    } else if (current_team && current_team->context == context) {
        lead(current_team, task, argument);
    } else {
        lone_task lone = {context, task, argument};
        ck_with_team(context, run_lone_task, &lone);
    }
}

void ck_barrier(int32_t num_threads)
{
    if (num_threads == 1) return;
    ck_team *team = current_team;
    const unsigned passed = atomic_load_explicit(&team->passed, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&team->arrived, 1, memory_order_acq_rel) == num_threads - 1) {
        atomic_store_explicit(&team->arrived, 0, memory_order_relaxed);
        atomic_fetch_add_explicit(&team->passed, 1, memory_order_release);
    } else {
        wait_while_equal(&team->passed, passed);
    }
}
#else
void ck_parallel_prepare(void) {}

void ck_parallel(const ck_context *context, ck_task *task, void *argument)
{
    (void)context;
    task(argument, 0, 1);
}

void ck_with_team(const ck_context *context, void (*body)(void *), void *argument)
{
    (void)context;
    body(argument);
}

void ck_barrier(int32_t num_threads) { (void)num_threads; }
#endif
