// Reading as linear layers do: several streams, lines asked for ahead. Parameters: V_LANES, PREFETCH_BYTES.

enum { MEMORY_STREAMS = 4, MEMORY_LINE_WORDS = 16, MEMORY_LINE_VECTORS = MEMORY_LINE_WORDS / V_LANES };

typedef uint32_t memory_words __attribute__((vector_size(4 * V_LANES)));

V_INLINE memory_words memory_load(const uint32_t *words)
{
    memory_words v;
    memcpy(&v, words, sizeof v);
    return v;
}

CK_LINKAGE void CK_ISA_FN(memory_sum_u32)(uint32_t *sum, const uint32_t *words, size_t count)
{
    memory_words acc[MEMORY_STREAMS * MEMORY_LINE_VECTORS] = {0};
    const size_t stride = count / (MEMORY_STREAMS * MEMORY_LINE_WORDS) * MEMORY_LINE_WORDS;
    for (size_t i = 0; i < stride; i += MEMORY_LINE_WORDS) {
#pragma clang loop unroll(full)
        for (int s = 0; s < MEMORY_STREAMS; s++) {
            const uint32_t *line = words + (size_t)s * stride + i;
            __builtin_prefetch((const char *)line + PREFETCH_BYTES, 0, 3);
#pragma clang loop unroll(full)
            for (int v = 0; v < MEMORY_LINE_VECTORS; v++)
                acc[s * MEMORY_LINE_VECTORS + v] += memory_load(line + v * V_LANES);
        }
    }
    for (int i = 1; i < MEMORY_STREAMS * MEMORY_LINE_VECTORS; i++) acc[0] += acc[i];
    uint32_t total = 0;
    for (int lane = 0; lane < V_LANES; lane++) total += acc[0][lane];
    for (size_t i = MEMORY_STREAMS * stride; i < count; i++) total += words[i];
    *sum = total;
}
