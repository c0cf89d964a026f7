// Every micro-kernel of the list, for the instruction set whose vec_<isa>.h was included before.
#include "vec/vec_common.h"

#include "linear/linear_body.h"
#include "norm/norm_body.h"
#include "rope/rope_body.h"
#include "rope/append_body.h"
#include "attention/attention_products.h"
#include "attention/attention_body.h"
#include "sampling/sampling_body.h"
#include "memory/memory_body.h"
#include "peak/peak_body.h"
