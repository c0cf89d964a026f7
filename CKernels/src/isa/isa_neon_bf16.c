#include "isa_support.h"

#if defined(__aarch64__)
#include <arm_neon.h>
#define CK_ISA CK_ISA_NEON_BF16
#define CK_ISA_SUFFIX neon_bf16
#pragma clang attribute push(__attribute__((target("neon,dotprod,bf16"))), apply_to = function)
#include "../vec/vec_neon.h"
#include "../vec/vec_neon_bf16.h"
#include "../vec/int_neon.h"
#include "../kernels_body.h"
#pragma clang attribute pop

#include "isa_table.h"
#endif
