#include "isa_support.h"

#if defined(__aarch64__)
#include <arm_neon.h>
#define CK_ISA_SUFFIX neon_bf16
#pragma clang attribute push(__attribute__((target("neon,dotprod,bf16"))), apply_to = function)
#include "../vec/vec_neon.h"
#include "../vec/vec_neon_bf16.h"
#include "../vec/int_neon.h"
#include "../kernels_body.h"
#pragma clang attribute pop

const ck_kernel_table ck_kernels_neon_bf16 = {
    .isa = CK_ISA_NEON_BF16,
    .vector_lanes = V_LANES,
    .linear_tile_panels = CK_ISA_FN(linear_tile_panels),
    .bf16_activation = CK_ACTIVATION_BF16,
    .i8_activation = V_I8_ACTIVATION,
#define CK_KERNEL(name, parameters) .name = CK_ISA_FN(name),
#include "../../include/kernels.def"
#undef CK_KERNEL
};
#endif
