#!/usr/bin/env bash
# Plants each fault of Faults/ in a copy of the scheduler, and looks for it: `run-faults.sh [NAME ...]`.
# Prints the seed that finds each. Fails if one is not found within HISTORIES histories, or cannot be planted.
# OPTIMIZATION=-Onone compiles faster and looks slower.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
histories=${HISTORIES:-10000}
optimization=${OPTIMIZATION:--O}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$here/make-package.sh" "$work"
mkdir "$work/build"
cd "$work"

names=("$@")
if [ ${#names[@]} -eq 0 ]; then
  for patch in "$here"/Faults/*.patch; do names+=("$(basename "$patch" .patch)"); done
fi

# By the compiler alone, a module at a time: a package would take longer to plan than this takes.
compile() {
  local module=$1 sources=$2
  shift 2
  # shellcheck disable=SC2046
  swiftc "$optimization" -wmo -swift-version 6 -package-name apus -enable-upcoming-feature InternalImportsByDefault \
    -enable-upcoming-feature MemberImportVisibility -I build -module-name "$module" -emit-module \
    -emit-module-path "build/$module.swiftmodule" -c -o "build/$module.o" "$@" $(find "$sources" -name '*.swift')
}

build() {
  compile ApusEngine Sources/ApusEngine -parse-as-library &&
    compile Simulator Sources/Simulator -parse-as-library &&
    compile apus_simulate Sources/Command && swiftc -o apus-simulate build/*.o
}

plant() {
  (patch --batch --forward -p1 < "$here/Faults/$1.patch") > patch.log 2>&1 && return 0
  echo "$1: can no longer be planted: the lines that it breaks have changed. Plant it anew, as README.md says:"
  sed 's/^/  /' patch.log
  "$here/make-package.sh" "$work"
  return 1
}

weed() { patch --quiet --batch --reverse -p1 < "$here/Faults/$1.patch"; }

look() {
  local name=$1 output start
  plant "$name" || return 1
  if ! build > build.log 2>&1; then
    echo "$name: does not build"
    grep 'error:' build.log | head -5
    weed "$name"
    return 1
  fi
  weed "$name"
  start=$(date +%s)
  if output=$(./apus-simulate --histories "$histories" 2>&1); then
    echo "$name: NOT FOUND within $histories histories"
    return 1
  fi
  echo "$name: $(echo "$output" | head -1) ($(($(date +%s) - start)) s)"
  echo "$output" | sed -n '2,$s/^/  /p'
}

compile ApusModel Sources/ApusModel -parse-as-library
compile TestSupport Sources/TestSupport -parse-as-library
build
# The scheduler as it is must hold, or a finding says nothing about a fault.
./apus-simulate --histories $((histories / 10))
missed=0
for name in "${names[@]}"; do look "$name" || missed=$((missed + 1)); done
[ $missed -eq 0 ] || { echo "$missed of ${#names[@]} faults not found"; exit 1; }
echo "all ${#names[@]} faults found within $histories histories each"
