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
    if (isa < CK_ISA_AVX2 || isa > CK_ISA_AVX512_BF16) return false;
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
    uint32_t a71 = 0, b71, c71, d71;  // subleaf 1, which may not be there
    if (a7 >= 1) __get_cpuid_count(7, 1, &a71, &b71, &c71, &d71);
    const uint32_t avx_vnni = 1u << 4;
    if (isa == CK_ISA_AVX2_VNNI) return all(a71, avx_vnni);
    const uint32_t f = 1u << 16, dq = 1u << 17, bw = 1u << 30, vl = 1u << 31;
    if (!all(b7, f | dq | bw | vl) || (xcr0 & XCR0_AVX512) != XCR0_AVX512) return false;
    if (isa == CK_ISA_AVX512) return true;
    const uint32_t vnni = 1u << 11, bf16 = 1u << 5;
    if (!all(c7, vnni)) return false;
    return isa == CK_ISA_AVX512_VNNI || all(a71, bf16);
}

#elif defined(__aarch64__)

#if defined(__linux__)
#include <sys/auxv.h>
static bool has_dot_product(void) { return getauxval(AT_HWCAP) & 1ul << 20; }  // HWCAP_ASIMDDP
static bool has_bf16(void) { return getauxval(AT_HWCAP2) & 1ul << 14; }        // HWCAP2_BF16
#elif defined(__APPLE__)
#include <sys/sysctl.h>
static bool has_feature(const char *name)
{
    int value = 0;
    size_t size = sizeof value;
    return sysctlbyname(name, &value, &size, NULL, 0) == 0 && value != 0;
}
static bool has_dot_product(void) { return has_feature("hw.optional.arm.FEAT_DotProd"); }
static bool has_bf16(void) { return has_feature("hw.optional.arm.FEAT_BF16"); }
#else
static bool has_dot_product(void) { return false; }
static bool has_bf16(void) { return false; }
#endif

bool ck_cpu_runs(ck_isa isa)
{
    if (isa == CK_ISA_NEON_DOT) return has_dot_product();
    if (isa == CK_ISA_NEON_BF16) return has_dot_product() && has_bf16();
    return isa == CK_ISA_PORTABLE || isa == CK_ISA_NEON;
}

#else
bool ck_cpu_runs(ck_isa isa) { return isa == CK_ISA_PORTABLE; }
#endif
