// kernel_check [ISA | best ISA | refused ISA]...
//
//   ISA          checks every kernel of the list and every op on ISA
//   best ISA     that ISA is what would be chosen here
//   refused ISA  that ISA cannot be chosen here
//
// One after the other; ends with 0 when all hold, and at the first that does not.
#define _DEFAULT_SOURCE
#include "check.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BLOCKS_MAX = 64, MESSAGES_MAX = 20, POISON_BYTE = 0xff, GAP_BYTE = 0x5a };

typedef struct block {
    char *pages;
    size_t mapped;
    unsigned char *memory;
    size_t bytes;
} block;

static block blocks[BLOCKS_MAX];
static int num_blocks;
static int64_t num_checks, num_failures;
static const char *current = "kernel_check";
static uint64_t random_state;

static size_t page_size(void) { return (size_t)sysconf(_SC_PAGESIZE); }

static void give_up(const char *why)
{
    printf("%s: %s\n", current, why);
    exit(2);
}

void *check_bytes(size_t bytes, size_t alignment)
{
    if (num_blocks == BLOCKS_MAX) give_up("too many blocks");
    const size_t page = page_size(), held = (bytes + alignment - 1) / alignment * alignment;
    const size_t inner = (held + page - 1) / page * page, mapped = inner + 2 * page;
    char *pages = mmap(NULL, mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) give_up("out of memory");
    if (inner && mprotect(pages + page, inner, PROT_READ | PROT_WRITE) != 0) give_up("mprotect");
    unsigned char *memory = (unsigned char *)pages + page + inner - held;
    memset(memory, POISON_BYTE, bytes);
    memset(memory + bytes, GAP_BYTE, held - bytes);
    blocks[num_blocks++] = (block){pages, mapped, memory, bytes};
    return memory;
}

float *check_floats(size_t count) { return check_bytes(count * sizeof(float), sizeof(float)); }
uint16_t *check_halves(size_t count) { return check_bytes(count * sizeof(uint16_t), sizeof(uint16_t)); }

float *check_random(size_t count)
{
    float *memory = check_floats(count);
    for (size_t i = 0; i < count; i++) memory[i] = check_uniform();
    return memory;
}

void check_make_read_only(const void *memory)
{
    for (int i = 0; i < num_blocks; i++) {
        if (blocks[i].memory != memory) continue;
        // An empty block has no page of its own, and qemu-user refuses to protect an empty range.
        const size_t page = page_size(), inner = blocks[i].mapped - 2 * page;
        if (inner && mprotect(blocks[i].pages + page, inner, PROT_READ) != 0) give_up("mprotect");
        return;
    }
    give_up("no such block");
}

void check_release(void)
{
    for (int i = 0; i < num_blocks; i++) {
        const char *end = blocks[i].pages + blocks[i].mapped - page_size();
        for (unsigned char *gap = blocks[i].memory + blocks[i].bytes; (const char *)gap < end; gap++)
            check(*gap == GAP_BYTE, "byte %td beyond the end was written",
                  gap - (blocks[i].memory + blocks[i].bytes));
        munmap(blocks[i].pages, blocks[i].mapped);
    }
    num_blocks = 0;
}

// SplitMix64 (Steele, Lea, Flood, 2014).
static uint64_t next_random(void)
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

float check_uniform(void) { return (float)((int32_t)(next_random() >> 40) - (1 << 23)) * 0x1p-23f; }
int32_t check_below(int32_t bound) { return (int32_t)((next_random() >> 33) % (uint64_t)bound); }

float check_bf16_value(uint16_t h)
{
    const uint32_t bits = (uint32_t)h << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

// By distance to both neighbours, not by the usual addition to the bits.
uint16_t check_bf16(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    const uint16_t below = (uint16_t)(bits >> 16), above = (uint16_t)(below + 1);
    if (!isfinite(x)) return isnan(x) ? (uint16_t)(below | 0x40) : below;
    // The neighbour above the greatest finite value counts as 2^128, as IEEE 754 has it.
    const double to_below = fabs((double)x - check_bf16_value(below));
    const double upper = isfinite(check_bf16_value(above)) ? check_bf16_value(above) : copysign(0x1p128, x);
    const double to_above = fabs((double)x - upper);
    if (to_below == to_above) return below & 1 ? above : below;
    return to_below < to_above ? below : above;
}

// Towards zero, and what is below 2^-14 to a denormal of its own: weights to test with, not a conversion.
uint16_t check_f16(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    const uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
    return (uint16_t)(magnitude < 0x38800000 ? sign | (bits & 0x3ff) : sign | (magnitude - 0x38000000) >> 13);
}

void check(bool holds, const char *format, ...)
{
    num_checks++;
    if (holds) return;
    if (num_failures++ >= MESSAGES_MAX) return;
    va_list arguments;
    va_start(arguments, format);
    printf("%s: ", current);
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
}

void check_near(double value, double expected, double bound, const char *what, int64_t index)
{
    check(fabs(value - expected) <= bound, "%s [%lld] is %.9g, expected %.9g within %.3g", what,
          (long long)index, value, expected, bound);
}

void check_same_bits(const float *a, const float *b, size_t count, const char *what)
{
    for (size_t i = 0; i < count; i++)
        check(memcmp(a + i, b + i, sizeof *a) == 0, "%s [%zu]: %.9g and %.9g differ in bits", what, i, a[i],
              b[i]);
}

void check_poison(const float *memory, size_t count, const char *what)
{
    const unsigned char *bytes = (const unsigned char *)memory;
    size_t i = 0;
    while (i < count * sizeof *memory && bytes[i] == POISON_BYTE) i++;
    check(i == count * sizeof *memory, "%s: element %zu was written", what, i / sizeof *memory);
}

static void run(const check_case *c, const char *name, void (*body)(const check_case *))
{
    const int64_t checks = num_checks, failures = num_failures;
    current = name;
    random_state = 42;
    body(c);
    check_release();
    printf("%-28s %8lld checks  %s\n", name, (long long)(num_checks - checks),
           num_failures == failures ? "ok" : "FAILED");
    fflush(stdout);
}

#if __has_feature(address_sanitizer)
static void name_faults(void) {}
#else
static void stop_on_fault(int signal_number)
{
    const char *reason = signal_number == SIGILL ? ": unknown instruction\n" : ": access outside a buffer\n";
    ssize_t written = write(STDOUT_FILENO, current, strlen(current));
    written += write(STDOUT_FILENO, reason, strlen(reason));
    _exit(written > 0 ? 128 + signal_number : 2);
}

// A kernel that leaves its buffers ends the program: its name is told first. The address sanitizer does that
// itself.
static void name_faults(void)
{
    const int faults[] = {SIGSEGV, SIGBUS, SIGILL};
    for (int i = 0; i < 3; i++) signal(faults[i], stop_on_fault);
}
#endif

static check_case case_of(ck_isa isa)
{
    const ck_kernel_table *kernels = ck_kernels(isa);
    const int32_t w = kernels->vector_lanes;
    return (check_case){kernels, isa, {1, w > 1 ? w - 1 : 1, w, w + 1, 2 * w + 3, 4 * w + 1}};
}

static int run_all(ck_isa isa)
{
    if (!ck_isa_runnable(isa)) return printf("%s does not run here\n", ck_isa_name(isa)), 3;
    const check_case c = case_of(isa);
    num_checks = num_failures = 0;
    printf("instruction set %s, %d lanes\n", ck_isa_name(isa), c.kernels->vector_lanes);
    run(&c, "context", check_context);
#define CK_KERNEL(name, parameters) run(&c, #name, check_##name);
#include "kernels.def"
#undef CK_KERNEL
    run(&c, "op linear", check_linear_op);
    run(&c, "op embedding_gather", check_embedding_op);
    run(&c, "ops rms_norm, add_rms_norm", check_norm_ops);
    run(&c, "op rope_append", check_rope_op);
    run(&c, "op attention", check_attention_op);
    run(&c, "ops memory_sum, memory_fill", check_memory_ops);
    printf("%s: %lld checks, %lld failures\n", ck_isa_name(isa), (long long)num_checks,
           (long long)num_failures);
    return num_failures != 0;
}

static ck_isa isa_named(const char *name)
{
    int isa = 0;
    while (isa < CK_ISA_COUNT && strcmp(name, ck_isa_name((ck_isa)isa)) != 0) isa++;
    if (isa == CK_ISA_COUNT) give_up("no instruction set of that name");
    return (ck_isa)isa;
}

static int check_choice(bool best, ck_isa isa)
{
    ck_context *context;
    const ck_status status = ck_context_create(isa, 1, &context);
    const bool holds = best ? ck_isa_best() == isa && status == CK_OK
                            : status == CK_ERROR_ISA_NOT_RUNNABLE && !ck_isa_runnable(isa);
    if (status == CK_OK) ck_context_destroy(context);
    printf("%s %s: %s (best is %s)\n", best ? "best" : "refused", ck_isa_name(isa), holds ? "ok" : "FAILED",
           ck_isa_name(ck_isa_best()));
    return !holds;
}

int main(int argc, char **argv)
{
    name_faults();
    if (argc < 2) return puts("usage: kernel_check [ISA | best ISA | refused ISA]..."), 2;
    for (int i = 1; i < argc; i++) {
        const bool best = strcmp(argv[i], "best") == 0, choice = best || strcmp(argv[i], "refused") == 0;
        if (choice && i + 1 == argc) return puts("an instruction set is missing"), 2;
        const int status = choice ? check_choice(best, isa_named(argv[i + 1])) : run_all(isa_named(argv[i]));
        if (status != 0) return status;
        i += choice;
    }
    return 0;
}
