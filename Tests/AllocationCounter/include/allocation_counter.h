// Counts what a process takes from the heap, on all its threads. On systems with glibc; elsewhere nothing is counted.
#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

// Calls of malloc, calloc, realloc and the aligned ones so far, those of size 0 and failed ones too. -1: not counted
// here.
int64_t allocation_count(void);

// Whether each call writes the stack it came from to standard error.
void allocation_trace(bool is_on);

#endif
