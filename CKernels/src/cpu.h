#ifndef CK_CPU_H
#define CK_CPU_H

#include "ck_context.h"

/// Whether the processor has the instructions of `isa` and the operating system saves their registers.
bool ck_cpu_runs(ck_isa isa);

#endif
