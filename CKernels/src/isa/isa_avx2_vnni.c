// AVX2 with products of bytes by AVX-VNNI: processors with the one and without AVX-512.
#define CK_LINKAGE static __attribute__((unused))
#include "isa_support.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define CK_ISA_SUFFIX avx2_vnni
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avxvnni"))), apply_to = function)
#include "../vec/vec_avx2.h"
#define V_HAS_VNNI 1
#include "../vec/int_avx2.h"
#include "../kernels_body.h"
#pragma clang attribute pop

#define CK_BYTE_KERNEL(name, parameters)
#define CK_KERNEL(name, parameters) void name##_avx2 parameters;
#include "../../include/kernels.def"
#undef CK_KERNEL

const ck_kernel_table ck_kernels_avx2_vnni = {
    .isa = CK_ISA_AVX2_VNNI,
    .vector_lanes = V_LANES,
    .linear_tile_panels = CK_ISA_FN(linear_tile_panels),
    .bf16_activation = CK_ACTIVATION_F32,
    .i8_activation = V_I8_ACTIVATION,
#define CK_BYTE_KERNEL(name, parameters) .name = CK_ISA_FN(name),
#define CK_KERNEL(name, parameters) .name = name##_avx2,
#include "../../include/kernels.def"
#undef CK_KERNEL
};
#endif
