// Every micro-kernel of the list, for the instruction set whose vec_<isa>.h was included before. All functions are
// static: only the table below is visible.
#include "vec/vec_common.h"

#include "linear/linear_body.h"
