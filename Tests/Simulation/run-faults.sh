#!/usr/bin/env bash
# Plants each fault of Faults/ in a copy of the scheduler, and looks for it: `run-faults.sh [NAME ...]`.
# Prints the seed that finds each. Fails if one is not found within HISTORIES histories, or cannot be planted.
# CONFIGURATION=debug builds faster and looks slower.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
histories=${HISTORIES:-10000}
configuration=${CONFIGURATION:-release}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

names=("$@")
if [ ${#names[@]} -eq 0 ]; then
  for patch in "$here"/Faults/*.patch; do names+=("$(basename "$patch" .patch)"); done
fi

missed=0
"$here/make-package.sh" "$work"

plant() {
  [ "$1" = none ] && return 0
  if ! (cd "$work" && patch --batch --forward -p1 < "$here/Faults/$1.patch") > "$work/patch.log" 2>&1; then
    echo "$1: can no longer be planted: the lines that it breaks have changed. Plant it anew, as README.md says:"
    sed 's/^/  /' "$work/patch.log"
    "$here/make-package.sh" "$work"
    return 1
  fi
}

weed() {
  [ "$1" = none ] || (cd "$work" && patch --quiet --batch --reverse -p1 < "$here/Faults/$1.patch")
}

# The scheduler as it is must hold, or a finding says nothing about a fault.
for name in none "${names[@]}"; do
  plant "$name" || { missed=$((missed + 1)); continue; }
  if ! (cd "$work" && swift build -c "$configuration" --product apus-simulate) > "$work/build.log" 2>&1; then
    echo "$name: does not build"
    grep 'error:' "$work/build.log" | head -5 || tail -5 "$work/build.log"
    missed=$((missed + 1))
    weed "$name"
    continue
  fi
  start=$(date +%s)
  count=$histories
  [ "$name" = none ] && count=$((histories / 10))
  if output=$("$work/.build/$configuration/apus-simulate" --histories "$count" 2>&1); then isFound=no; else isFound=yes; fi
  seconds=$(($(date +%s) - start))
  weed "$name"
  if [ "$name" = none ] && [ $isFound = yes ]; then
    echo "nothing planted, and a history fails:"
    echo "$output"
    exit 1
  elif [ "$name" != none ] && [ $isFound = no ]; then
    echo "$name: NOT FOUND within $histories histories"
    missed=$((missed + 1))
  elif [ "$name" != none ]; then
    echo "$name: $(echo "$output" | head -1) (${seconds} s)"
    echo "$output" | sed -n '2,$s/^/  /p'
  fi
done
[ $missed -eq 0 ] || { echo "$missed of ${#names[@]} faults not found"; exit 1; }
echo "all ${#names[@]} faults found within $histories histories each"
