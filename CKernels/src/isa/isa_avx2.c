#include "isa_support.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define CK_ISA CK_ISA_AVX2
#define CK_ISA_SUFFIX avx2
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#include "../vec/vec_avx2.h"
#include "../vec/int_avx2.h"
#include "../kernels_body.h"
#pragma clang attribute pop

#include "isa_table.h"
#endif
