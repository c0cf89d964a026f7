// What an isa_<name>.c includes before its target region: nothing inside a region may come from a system header.
#ifndef CK_ISA_SUPPORT_H
#define CK_ISA_SUPPORT_H

#include "../../include/ck_kernel_table.h"
#include "../float_formats.h"
#include "../kv.h"
#include "../linear/int_panel.h"

#include <string.h>

// Kernels may be another table's too; those of a file with a base that are not in its own are left out.
#ifdef CK_ISA_BASE
#define CK_LINKAGE static __attribute__((unused))
#else
#define CK_LINKAGE __attribute__((visibility("hidden")))
#endif

#define CK_PASTE_(a, b) a##_##b
#define CK_PASTE(a, b) CK_PASTE_(a, b)
#define CK_ISA_FN(name) CK_PASTE(name, CK_ISA_SUFFIX)

#endif
