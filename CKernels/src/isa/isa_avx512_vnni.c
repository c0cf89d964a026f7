// AVX-512 with products of bytes by VNNI: processors with both and without BF16.
#define CK_LINKAGE static __attribute__((unused))
#include "isa_support.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define CK_ISA_SUFFIX avx512_vnni
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"))), apply_to = function)
#include "../vec/vec_avx512.h"
#define V_HAS_VNNI 1
#include "../vec/int_avx512.h"
#include "../kernels_body.h"
#pragma clang attribute pop

#define CK_BYTE_KERNEL(name, parameters)
#define CK_KERNEL(name, parameters) void name##_avx512 parameters;
#include "../../include/kernels.def"
#undef CK_KERNEL

const ck_kernel_table ck_kernels_avx512_vnni = {
    .isa = CK_ISA_AVX512_VNNI,
    .vector_lanes = V_LANES,
    .linear_tile_panels = CK_ISA_FN(linear_tile_panels),
    .bf16_activation = CK_ACTIVATION_F32,
    .i8_activation = V_I8_ACTIVATION,
#define CK_BYTE_KERNEL(name, parameters) .name = CK_ISA_FN(name),
#define CK_KERNEL(name, parameters) .name = name##_avx512,
#include "../../include/kernels.def"
#undef CK_KERNEL
};
#endif
