// AVX2 with products of bytes by AVX-VNNI: processors with the one and without AVX-512.
#define CK_ISA_BASE avx2
#include "isa_support.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define CK_ISA CK_ISA_AVX2_VNNI
#define CK_ISA_SUFFIX avx2_vnni
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avxvnni"))), apply_to = function)
#include "../vec/vec_avx2.h"
#define V_HAS_VNNI 1
#include "../vec/int_avx2.h"
#include "../kernels_body.h"
#pragma clang attribute pop

#include "isa_table.h"
#endif
