// The table of CK_ISA, at the end of an isa_<name>.c. With CK_ISA_BASE the byte kernels are the file's own and all
// others those of the base.
#ifdef CK_ISA_BASE
#define CK_TABLE_FN(name) CK_PASTE(name, CK_ISA_BASE)
#define CK_BYTE_KERNEL(name, parameters)
#define CK_KERNEL(name, parameters) void CK_TABLE_FN(name) parameters;
#include "../../include/kernels.def"
#undef CK_KERNEL
#else
#define CK_TABLE_FN(name) CK_ISA_FN(name)
#endif

const ck_kernel_table CK_ISA_FN(ck_kernels) = {
    .isa = CK_ISA,
    .vector_lanes = V_LANES,
    .linear_tile_panels = CK_ISA_FN(linear_tile_panels),
#ifdef V_HAS_BF16_DOT
    .bf16_activation = CK_ACTIVATION_BF16,
#else
    .bf16_activation = CK_ACTIVATION_F32,
#endif
    .i8_activation = V_I8_ACTIVATION,
#define CK_BYTE_KERNEL(name, parameters) .name = CK_ISA_FN(name),
#define CK_KERNEL(name, parameters) .name = CK_TABLE_FN(name),
#include "../../include/kernels.def"
#undef CK_KERNEL
};
