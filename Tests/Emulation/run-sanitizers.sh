#!/usr/bin/env bash
# run-sanitizers.sh [ISA...]
#
# Builds the C target and the C tests with the address and undefined-behaviour sanitizers and runs them on
# this machine, on ISA or else on every instruction set that runs here. Ends with 0 when there is no report
# and every check holds.
#
# Debian packages: libopenblas-dev libomp-dev, and clang with its runtime (the Swift toolchain's has it)
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
need_file /usr/include/x86_64-linux-gnu/cblas.h libopenblas-dev
need_file "$("$clang" -print-file-name=libclang_rt.asan-x86_64.a)" libclang-rt-dev

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Minutes of compiling, for kernels that would not run.
shopt -s extglob
lacking=()
grep -qw avx512f /proc/cpuinfo || lacking+=('isa_avx512*')
grep -qw avx_vnni /proc/cpuinfo || lacking+=(isa_avx2_vnni)
uninstrumented="@($(IFS='|' && echo "${lacking[*]}")).c"
compile_check "$work" "$work/kernel_check" -O1 -g1 -fno-omit-frame-pointer -fopenmp \
  -fsanitize=address,undefined -fno-sanitize-recover=undefined -fuse-ld=lld -lopenblas \
  -L/usr/lib/x86_64-linux-gnu

isas=("$@")
[[ $# -gt 0 ]] || isas=(portable avx2 avx2_vnni avx512 avx512_vnni avx512_bf16)
for isa in "${isas[@]}"; do
  if [[ $# -eq 0 ]] && "$work/kernel_check" refused "$isa" > /dev/null; then
    echo "--- $isa does not run here"
    continue
  fi
  echo "--- $isa"
  "$work/kernel_check" "$isa" || fail "kernel_check $isa ended with $?"
done
