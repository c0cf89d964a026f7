// What an isa_<name>.c includes before its target region: nothing inside a region may come from a system header.
#ifndef CK_ISA_SUPPORT_H
#define CK_ISA_SUPPORT_H

#include "../../include/ck_kernel_table.h"
#include "../float_formats.h"
#include "../kv.h"
#include "../linear/int_panel.h"

#include <string.h>

// Kernels that another table may take too.
#ifndef CK_LINKAGE
#define CK_LINKAGE __attribute__((visibility("hidden")))
#endif

#define CK_PASTE_(a, b) a##_##b
#define CK_PASTE(a, b) CK_PASTE_(a, b)
#define CK_ISA_FN(name) CK_PASTE(name, CK_ISA_SUFFIX)

#endif
