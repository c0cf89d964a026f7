#!/usr/bin/env bash
# check-avx512.sh
#
# Builds the C target and the C tests and runs them by run-avx512.sh on the emulated processor: first the
# probe of the emulator itself, then the AVX-512 tables.
#
# Debian packages: those of run-avx512.sh, and libc6-dev for a static C library
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$clang" -O1 -static "$emulation_folder/instruction_probe.c" -o "$work/instruction_probe" -lm
compile_check "$work" "$work/kernel_check" -static -DCK_NO_CBLAS

run() {
  echo "--- $(basename "$1") ${*:2}"
  "$emulation_folder/run-avx512.sh" "$@" || fail "$(basename "$1") ${*:2} ended with $?"
}
run "$work/instruction_probe"
run "$work/kernel_check" best avx512_bf16 avx2_vnni avx512 avx512_vnni avx512_bf16
EMULATION_CPU=corei7_icelake_u run "$work/kernel_check" best avx512_vnni refused avx512_bf16 refused avx2_vnni
EMULATION_CPU=corei7_skylake_x run "$work/kernel_check" best avx512 refused avx512_vnni refused avx512_bf16
