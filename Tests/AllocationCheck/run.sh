#!/bin/sh
# Builds the check with optimization and runs it: no steady step may allocate. See AllocationCheck.swift.
set -eu
cd "$(dirname "$0")/../.."
swift build -c release --product AllocationCheck
"$(swift build -c release --show-bin-path)/AllocationCheck" "$@"
