// AVX-512 with products of bytes by VNNI: processors with both and without BF16.
#define CK_ISA_BASE avx512
#include "isa_support.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define CK_ISA CK_ISA_AVX512_VNNI
#define CK_ISA_SUFFIX avx512_vnni
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"))), apply_to = function)
#include "../vec/vec_avx512.h"
#define V_HAS_VNNI 1
#include "../vec/int_avx512.h"
#include "../kernels_body.h"
#pragma clang attribute pop

#include "isa_table.h"
#endif
