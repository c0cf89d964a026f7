// Advanced SIMD with products of bytes by FEAT_DotProd: processors with the one and without BF16.
#define CK_ISA_BASE neon
#include "isa_support.h"

#if defined(__aarch64__)
#include <arm_neon.h>
#define CK_ISA CK_ISA_NEON_DOT
#define CK_ISA_SUFFIX neon_dot
#pragma clang attribute push(__attribute__((target("neon,dotprod"))), apply_to = function)
#include "../vec/vec_neon.h"
#define V_HAS_DOT_PRODUCT 1
#include "../vec/int_neon.h"
#include "../kernels_body.h"
#pragma clang attribute pop

#include "isa_table.h"
#endif
