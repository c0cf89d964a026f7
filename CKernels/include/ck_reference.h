#ifndef CK_REFERENCE_H
#define CK_REFERENCE_H

#include "ck_attention.h"
#include "ck_linear.h"
#include "ck_memory.h"
#include "ck_norm.h"
#include "ck_rope.h"
#include "ck_sampling.h"

// Scalar references with double accumulators: the oracle of every micro-kernel and op. Dull on purpose, one
// thread, never derived from the vector code. Arguments and layouts are those of the op, scratch ignored.

float ck_reference_to_f32(const void *source, ck_weight_type type, size_t index);

void ck_reference_linear(const ck_linear_args *args);

void ck_reference_rms_norm(const ck_rms_norm_args *args);

void ck_reference_add_rms_norm(const ck_add_rms_norm_args *args);

void ck_reference_rope_append_f32(const ck_rope_append_args *args);

void ck_reference_attention_f32(const ck_attention_args *args);

ck_logit_scan_result ck_reference_logit_scan(const ck_logit_scan_args *args);

double ck_reference_logit_weights(const ck_logit_weights_args *args);

uint32_t ck_reference_memory_sum(const uint32_t *words, size_t count);

#endif
