#include "isa_support.h"

#define CK_ISA_SUFFIX portable
#include "../vec/vec_portable.h"
#include "../vec/int_portable.h"
#include "../kernels_body.h"

const ck_kernel_table ck_kernels_portable = {
    .isa = CK_ISA_PORTABLE,
    .vector_lanes = V_LANES,
    .linear_tile_panels = CK_ISA_FN(linear_tile_panels),
    .bf16_activation = CK_ACTIVATION_F32,
    .i8_activation = V_I8_ACTIVATION,
#define CK_KERNEL(name, parameters) .name = CK_ISA_FN(name),
#include "../../include/kernels.def"
#undef CK_KERNEL
};
