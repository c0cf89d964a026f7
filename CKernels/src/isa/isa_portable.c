#include "isa_support.h"

#define CK_ISA CK_ISA_PORTABLE
#define CK_ISA_SUFFIX portable
#include "../vec/vec_portable.h"
#include "../vec/int_portable.h"
#include "../kernels_body.h"

#include "isa_table.h"
