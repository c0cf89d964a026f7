#!/usr/bin/env bash
# Feeds the loaders of GGUF files and of folders with malformed files: libFuzzer under the address sanitizer.
#
#   Tests/Fuzzing/run.sh [RUNS]      1,000,000 of each if not told otherwise; needs Python with gguf and NumPy
#
# Ends with an error at the first input that crashes, which is left in the current folder as crash-*.
set -euo pipefail
runs=${1:-1000000}
here=$(cd "$(dirname "$0")" && pwd)
build="$here/.build"
flags=(-c release -Xswiftc -sanitize=fuzzer,address -Xcc -fsanitize=address -Xswiftc -use-ld=lld)
swift build --package-path "$here" --scratch-path "$build" "${flags[@]}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" "$here/make_seeds.py" "$work/seeds"
for target in GGUF:gguf Vocabulary:gguf Folder:folder; do
  mkdir "$work/${target%:*}"
  "$build/release/Fuzz${target%:*}" -runs="$runs" -max_len=16384 -timeout=10 -rss_limit_mb=4096 \
    "$work/${target%:*}" "$work/seeds/${target#*:}"
done
