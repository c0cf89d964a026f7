# Shared by the scripts of this folder; sourced, not run.

emulation_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$emulation_folder/../.." && pwd)
emulation_cache=${EMULATION_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/apus-emulation}

fail() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

need_commands() {
  local command
  for command in "$@"; do
    command -v "$command" > /dev/null || fail "$command is missing: see the packages at the top"
  done
}

# need_file PATH PACKAGE
need_file() { [[ -e $1 ]] || fail "$1 is missing: apt-get install $2"; }

# The Swift toolchain's clang where there is one: the package is built by it.
find_clang() {
  local swift
  if swift=$(command -v swift); then
    local beside
    beside=$(dirname "$(readlink -f "$swift")")/clang
    [[ -x $beside ]] && echo "$beside" && return
  fi
  command -v clang || fail "clang is missing"
}
clang=$(find_clang)

# compile_check FOLDER OUTPUT FLAG...
#
# Builds the C target and the C tests into OUTPUT, objects in FOLDER. Files whose names match $uninstrumented
# get no sanitizer.
uninstrumented=
compile_check() {
  local folder=$1 output=$2 flag source
  shift 2
  local -a compile=(-std=gnu11 -O2 -Wall -Wextra -Werror -I"$repository/CKernels/include") link=()
  for flag in "$@"; do
    case $flag in
      -static | -l* | -L* | -fuse-ld=*) link+=("$flag") ;;
      -fopenmp) compile+=("$flag") link+=(-lomp5) ;;
      -fsanitize=* | --target=* | --gcc-install-dir=*) compile+=("$flag") link+=("$flag") ;;
      *) compile+=("$flag") ;;
    esac
  done
  local -a sources=("$emulation_folder"/check*.c) plain=()
  while read -r source; do
    case $(basename "$source") in
      $uninstrumented) plain+=("$source") ;;
      *) sources+=("$source") ;;
    esac
  done < <(find "$repository/CKernels/src" -name '*.c')
  (
    cd "$folder" && "$clang" "${compile[@]}" -c "${sources[@]}" \
      && { [[ ${#plain[@]} -eq 0 ]] || "$clang" "${compile[@]}" -fno-sanitize=all -c "${plain[@]}"; }
  ) || fail "compiling the C target or the C tests failed"
  "$clang" "$folder"/*.o "${link[@]}" -o "$output" -lm
}
