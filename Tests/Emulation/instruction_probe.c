// What the emulated processor is, and whether the instructions the kernels lean on give what their manual
// says: vdpbf16ps, vpdpbusd, masked loads that end at an unmapped page, vcvtneps2bf16. Ends with 0 when all
// of them do.
//
// Reference: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2.
#include <cpuid.h>
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16")))

static uint32_t state = 1;
static uint32_t next_bits(void) { return state = state * 1664525u + 1013904223u; }
static float next_value(void) { return (float)(int32_t)next_bits() * 0x1p-31f; }

static uint16_t to_bf16(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static float from_bf16(uint16_t h)
{
    uint32_t bits = (uint32_t)h << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

// sum + the products of 16 pairs: the odd elements first, each step rounded.
static int differs(const float *out, const float *sum, const uint16_t *a, const uint16_t *b)
{
    int wrong = 0;
    for (int i = 0; i < 16; i++) {
        const float odd = fmaf(from_bf16(a[2 * i + 1]), from_bf16(b[2 * i + 1]), sum[i]);
        wrong += out[i] != fmaf(from_bf16(a[2 * i]), from_bf16(b[2 * i]), odd);
    }
    return wrong;
}

TARGET static int wrong_bf16_dots(void)
{
    int wrong = 0;
    for (int round = 0; round < 1000; round++) {
        uint16_t a[32], b[32];
        float sum[16], out[16];
        for (int i = 0; i < 32; i++) a[i] = to_bf16(next_value()), b[i] = to_bf16(next_value());
        for (int i = 0; i < 16; i++) sum[i] = next_value();
        _mm512_storeu_ps(out, _mm512_dpbf16_ps(_mm512_loadu_ps(sum), (__m512bh)_mm512_loadu_si512(a),
                                               (__m512bh)_mm512_loadu_si512(b)));
        wrong += differs(out, sum, a, b);
    }
    return wrong;
}

TARGET static int wrong_roundings(void)
{
    int wrong = 0;
    for (int round = 0; round < 1000; round++) {
        float x[16];
        uint16_t out[16];
        for (int i = 0; i < 16; i++) x[i] = next_value();
        _mm256_storeu_si256((__m256i *)out, (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(x)));
        for (int i = 0; i < 16; i++) wrong += out[i] != to_bf16(x[i]);
    }
    return wrong;
}

TARGET static int wrong_byte_dots(void)
{
    int wrong = 0;
    for (int round = 0; round < 1000; round++) {
        uint8_t a[64];
        int8_t b[64];
        int32_t sum[16], out[16];
        for (int i = 0; i < 64; i++) a[i] = (uint8_t)(next_bits() >> 24), b[i] = (int8_t)(next_bits() >> 24);
        for (int i = 0; i < 16; i++) sum[i] = (int32_t)next_bits() >> 4;
        _mm512_storeu_si512(
            out, _mm512_dpbusd_epi32(_mm512_loadu_si512(sum), _mm512_loadu_si512(a), _mm512_loadu_si512(b)));
        for (int i = 0; i < 16; i++) {
            for (int j = 0; j < 4; j++) sum[i] += a[4 * i + j] * b[4 * i + j];
            wrong += out[i] != sum[i];
        }
    }
    return wrong;
}

// The same operand by every way of writing its address: one-byte displacements count vectors, four-byte ones
// bytes.
TARGET static int wrong_addresses(void)
{
    static uint16_t lines[128];
    const float zeros[16] = {0};
    float out[16];
    for (int i = 0; i < 128; i++) lines[i] = to_bf16(next_value());
    const uint16_t *operand = lines + 64;
    const __m512bh x = (__m512bh)_mm512_loadu_si512(lines);
    int wrong = 0;
#define CHECK(displacement)                                                                                  \
    do {                                                                                                     \
        __m512 sum = _mm512_setzero_ps();                                                                    \
        const char *base = (const char *)operand - (displacement);                                           \
        __asm__("vdpbf16ps " #displacement "(%1), %2, %0" : "+v"(sum) : "r"(base), "v"(x), "m"(lines));      \
        _mm512_storeu_ps(out, sum);                                                                          \
        wrong += differs(out, zeros, lines, operand);                                                        \
    } while (0)
    CHECK(0);
    CHECK(64);
    CHECK(-128);
    CHECK(4096);
    CHECK(36);
#undef CHECK
    return wrong;
}

// Masked-off lanes lie on a page that cannot be touched: a fault ends the program.
TARGET static int wrong_masked_accesses(void)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect(pages + page, page, PROT_NONE) != 0) return 1;
    int wrong = 0;
    for (int count = 0; count < 16; count++) {
        float *end = (float *)(pages + page) - count, out[16];
        for (int i = 0; i < count; i++) end[i] = (float)(i + 1);
        __mmask16 mask = (__mmask16)((1u << count) - 1);
        __m512 loaded = _mm512_maskz_loadu_ps(mask, end);
        _mm512_mask_storeu_ps(end, mask, _mm512_add_ps(loaded, loaded));
        _mm512_storeu_ps(out, loaded);
        for (int i = 0; i < 16; i++) wrong += out[i] != (i < count ? (float)(i + 1) : 0.0f);
        for (int i = 0; i < count; i++) wrong += end[i] != (float)(2 * (i + 1));
    }
    return wrong;
}

static int report(const char *name, int wrong)
{
    printf("%-16s %s (%d wrong)\n", name, wrong ? "WRONG" : "ok", wrong);
    return wrong != 0;
}

int main(void)
{
    unsigned a, b, c, d, b7, c7, a71 = 0, low, high, leaves;
    __cpuid(1, a, b, c, d);
    if (!(c & bit_OSXSAVE)) return puts("no OSXSAVE"), 2;
    __cpuid_count(7, 0, leaves, b7, c7, d);
    if (leaves >= 1) __cpuid_count(7, 1, a71, b, c, d);
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    const int base =
        (b7 >> 16 & 1) && (b7 >> 17 & 1) && (b7 >> 30 & 1) && (b7 >> 31 & 1) && (low & 0xe6) == 0xe6;
    const int vnni = c7 >> 11 & 1, bf16 = a71 >> 5 & 1;
    printf("AVX-512 F+BW+DQ+VL %d, VNNI %d, BF16 %d, XCR0 %#x\n", base, vnni, bf16, low);
    if (!base) return 2;
    int failures = report("masked accesses", wrong_masked_accesses());
    if (vnni) failures += report("vpdpbusd", wrong_byte_dots());
    if (bf16) failures += report("vdpbf16ps", wrong_bf16_dots()) + report("vcvtneps2bf16", wrong_roundings());
    if (bf16) failures += report("displacements", wrong_addresses());
    return failures || !vnni || !bf16;
}
