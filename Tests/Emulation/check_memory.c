// Reading memory: exact sums, no word left out and none beyond the end.
#include "check.h"

static uint32_t *random_words(size_t count)
{
    uint32_t *words = check_bytes(count * sizeof *words, sizeof *words);
    for (size_t i = 0; i < count; i++)
        words[i] = (uint32_t)check_below(1 << 16) << 16 | (uint32_t)check_below(1 << 16);
    check_make_read_only(words);
    return words;
}

void check_memory_sum_u32(const check_case *c)
{
    const size_t counts[] = {0, 1, 15, 63, 64, 65, 127, 128, 129, 200, 4099};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        const uint32_t *words = random_words(counts[i]);
        uint32_t sum = 0xdeadbeef;
        c->kernels->memory_sum_u32(&sum, words, counts[i]);
        check(sum == ck_reference_memory_sum(words, counts[i]), "sum of %zu words is %u", counts[i], sum);
        check_release();
    }
}

void check_memory_ops(const check_case *c)
{
    const size_t counts[] = {1, 2, 5, 28 << 10, 100003};
    for (int32_t threads = 1; threads <= 3; threads += 2) {
        ck_context *context;
        check(ck_context_create(c->isa, threads, &context) == CK_OK, "no context with %d threads", threads);
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            const uint32_t *words = random_words(counts[i]);
            const uint32_t sum = ck_memory_sum(context, words, counts[i]);
            check(sum == ck_reference_memory_sum(words, counts[i]), "sum of %zu words is %u", counts[i], sum);
            uint32_t *filled = check_bytes(counts[i] * sizeof *filled, sizeof *filled);
            ck_memory_fill(context, filled, counts[i], 7);
            for (size_t word = 0; word < counts[i]; word++)
                check(filled[word] == 7, "word %zu of %zu is %u", word, counts[i], filled[word]);
            check_release();
        }
        ck_context_destroy(context);
    }
}
