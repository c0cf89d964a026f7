#include "isa_support.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define CK_ISA_SUFFIX avx2
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#include "../vec/vec_avx2.h"
#include "../vec/int_avx2.h"
#include "../kernels_body.h"
#pragma clang attribute pop

const ck_kernel_table ck_kernels_avx2 = {
    .isa = CK_ISA_AVX2,
    .vector_lanes = V_LANES,
    .linear_tile_panels = CK_ISA_FN(linear_tile_panels),
    .bf16_activation = CK_ACTIVATION_F32,
    .i8_activation = V_I8_ACTIVATION,
#define CK_KERNEL(name, parameters) .name = CK_ISA_FN(name),
#include "../../include/kernels.def"
#undef CK_KERNEL
};
#endif
