#!/usr/bin/env bash
# run-arm64.sh
#
# Cross-compiles the C target and the C tests for arm64 and runs them under qemu-user: the portable and the
# NEON tables on a Cortex-A72 (ARMv8.0, where neon must be chosen and the others refused), neon_dot on a
# Neoverse N1, which has no BF16, and all NEON tables on a processor with every feature qemu has. Without
# OpenMP and CBLAS, of which there is no arm64 build at hand: one thread, and the portable table's own product.
#
# Debian packages: qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross, and clang
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
need_commands qemu-aarch64 aarch64-linux-gnu-gcc
gcc_folder=$(dirname "$(aarch64-linux-gnu-gcc -print-libgcc-file-name)")
need_file "$gcc_folder/crtbeginT.o" gcc-aarch64-linux-gnu
need_file /usr/aarch64-linux-gnu/lib/libc.a libc6-dev-arm64-cross

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
compile_check "$work" "$work/kernel_check" --target=aarch64-linux-gnu --gcc-install-dir="$gcc_folder" \
  -static -DCK_NO_CBLAS

run() {
  echo "--- $*"
  qemu-aarch64 -cpu "$1" "$work/kernel_check" "${@:2}" || fail "kernel_check $* ended with $?"
}
run cortex-a72 best neon refused neon_dot refused neon_bf16 portable neon
run neoverse-n1 best neon_dot refused neon_bf16 neon_dot
run max best neon_bf16 refused avx2 neon neon_dot neon_bf16
