// Advanced SIMD with products of bytes by FEAT_DotProd: processors with the one and without BF16.
#define CK_LINKAGE static __attribute__((unused))
#include "isa_support.h"

#if defined(__aarch64__)
#include <arm_neon.h>
#define CK_ISA_SUFFIX neon_dot
#pragma clang attribute push(__attribute__((target("neon,dotprod"))), apply_to = function)
#include "../vec/vec_neon.h"
#define V_HAS_DOT_PRODUCT 1
#include "../vec/int_neon.h"
#include "../kernels_body.h"
#pragma clang attribute pop

#define CK_BYTE_KERNEL(name, parameters)
#define CK_KERNEL(name, parameters) void name##_neon parameters;
#include "../../include/kernels.def"
#undef CK_KERNEL

const ck_kernel_table ck_kernels_neon_dot = {
    .isa = CK_ISA_NEON_DOT,
    .vector_lanes = V_LANES,
    .linear_tile_panels = CK_ISA_FN(linear_tile_panels),
    .bf16_activation = CK_ACTIVATION_F32,
    .i8_activation = V_I8_ACTIVATION,
#define CK_BYTE_KERNEL(name, parameters) .name = CK_ISA_FN(name),
#define CK_KERNEL(name, parameters) .name = name##_neon,
#include "../../include/kernels.def"
#undef CK_KERNEL
};
#endif
