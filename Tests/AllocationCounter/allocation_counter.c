// The program's own definitions of the allocation functions come before the C library's, for every library it loads;
// glibc gives its functions second names, to which these pass on.
#include "allocation_counter.h"

#if defined(__GLIBC__)
#include <errno.h>
#include <execinfo.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static _Atomic int64_t calls;
static atomic_bool is_tracing;
static _Thread_local bool is_inside;  // a trace, which may allocate itself

enum { FRAMES_MAX = 24 };

static void count_call(void)
{
    atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
    if (!atomic_load_explicit(&is_tracing, memory_order_relaxed) || is_inside) return;
    is_inside = true;
    void *frames[FRAMES_MAX];
    backtrace_symbols_fd(frames, backtrace(frames, FRAMES_MAX), STDERR_FILENO);
    if (write(STDERR_FILENO, "\n", 1) < 0) atomic_store(&is_tracing, false);
    is_inside = false;
}

int64_t allocation_count(void) { return atomic_load(&calls); }

void allocation_trace(bool is_on) { atomic_store(&is_tracing, is_on); }

void *malloc(size_t size)
{
    count_call();
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    count_call();
    return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
    count_call();
    return __libc_realloc(block, size);
}

void *memalign(size_t alignment, size_t size)
{
    count_call();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    count_call();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    count_call();
    if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0) return EINVAL;
    void *aligned = __libc_memalign(alignment, size);
    if (!aligned) return ENOMEM;
    *block = aligned;
    return 0;
}
#else
int64_t allocation_count(void) { return -1; }

void allocation_trace(bool is_on) { (void)is_on; }
#endif
