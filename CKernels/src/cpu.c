#include "cpu.h"

#if defined(__x86_64__)
#include <cpuid.h>

enum { XCR0_AVX = 0x6, XCR0_AVX512 = 0xe6 };  // XMM + YMM; with opmask and both ZMM states

static uint64_t read_xcr0(void)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static bool all(uint32_t word, uint32_t bits) { return (word & bits) == bits; }

bool ck_cpu_runs(ck_isa isa)
{
    if (isa == CK_ISA_PORTABLE) return true;
    if (isa != CK_ISA_AVX2 && isa != CK_ISA_AVX512 && isa != CK_ISA_AVX512_BF16) return false;
    uint32_t a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return false;
    const uint32_t osxsave = 1u << 27, avx = 1u << 28, fma = 1u << 12, f16c = 1u << 29;
    if (!all(c, osxsave | avx | fma | f16c)) return false;
    uint64_t xcr0 = read_xcr0();
    if ((xcr0 & XCR0_AVX) != XCR0_AVX) return false;
    uint32_t a7, b7, c7, d7;
    if (!__get_cpuid_count(7, 0, &a7, &b7, &c7, &d7)) return false;
    const uint32_t avx2 = 1u << 5;
    if (!all(b7, avx2)) return false;
    if (isa == CK_ISA_AVX2) return true;
    const uint32_t f = 1u << 16, dq = 1u << 17, bw = 1u << 30, vl = 1u << 31;
    if (!all(b7, f | dq | bw | vl) || (xcr0 & XCR0_AVX512) != XCR0_AVX512) return false;
    if (isa == CK_ISA_AVX512) return true;
    const uint32_t vnni = 1u << 11, bf16 = 1u << 5;
    if (a7 < 1 || !all(c7, vnni)) return false;
    if (!__get_cpuid_count(7, 1, &a, &b, &c, &d)) return false;
    return all(a, bf16);
}

#elif defined(__aarch64__)

#if defined(__linux__)
#include <sys/auxv.h>
static bool has_dot_product_and_bf16(void)
{
    const unsigned long hwcap_asimddp = 1ul << 20, hwcap2_bf16 = 1ul << 14;
    return (getauxval(AT_HWCAP) & hwcap_asimddp) && (getauxval(AT_HWCAP2) & hwcap2_bf16);
}
#elif defined(__APPLE__)
#include <sys/sysctl.h>
static bool has_feature(const char *name)
{
    int value = 0;
    size_t size = sizeof value;
    return sysctlbyname(name, &value, &size, NULL, 0) == 0 && value != 0;
}
static bool has_dot_product_and_bf16(void)
{
    return has_feature("hw.optional.arm.FEAT_DotProd") && has_feature("hw.optional.arm.FEAT_BF16");
}
#else
static bool has_dot_product_and_bf16(void) { return false; }
#endif

bool ck_cpu_runs(ck_isa isa)
{
    if (isa == CK_ISA_NEON_BF16) return has_dot_product_and_bf16();
    return isa == CK_ISA_PORTABLE || isa == CK_ISA_NEON;
}

#else
bool ck_cpu_runs(ck_isa isa) { return isa == CK_ISA_PORTABLE; }
#endif
