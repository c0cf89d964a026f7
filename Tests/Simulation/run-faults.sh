#!/usr/bin/env bash
# Plants each fault of Faults/ in a copy of the scheduler, and looks for it: `run-faults.sh [NAME ...]`.
# Prints the seed that finds each. Fails if one is not found within HISTORIES histories, or cannot be planted.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
histories=${HISTORIES:-10000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

names=("$@")
if [ ${#names[@]} -eq 0 ]; then
  for patch in "$here"/Faults/*.patch; do names+=("$(basename "$patch" .patch)"); done
fi

missed=0
plant() {
  "$here/make-package.sh" "$work"
  [ "$1" = none ] && return 0
  if ! (cd "$work" && patch --quiet --batch --forward -p1 < "$here/Faults/$1.patch" > "$work/patch.log" 2>&1); then
    echo "$1: can no longer be planted: the lines that it breaks have changed. Plant it anew, as README.md says:"
    sed 's/^/  /' "$work/patch.log"
    return 1
  fi
}

# The scheduler as it is must hold, or a finding says nothing about a fault.
for name in none "${names[@]}"; do
  plant "$name" || { missed=$((missed + 1)); continue; }
  if ! (cd "$work" && swift build -c release --product apus-simulate) > "$work/build.log" 2>&1; then
    echo "$name: does not build"
    grep 'error:' "$work/build.log" | head -5 || tail -5 "$work/build.log"
    missed=$((missed + 1))
    continue
  fi
  start=$(date +%s)
  if output=$("$work/.build/release/apus-simulate" --histories "$histories" 2>&1); then isFound=no; else isFound=yes; fi
  seconds=$(($(date +%s) - start))
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
