#!/usr/bin/env bash
# Makes a package of the scheduler and its simulation alone in FOLDER: without kernels and model it builds in seconds.
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: make-package.sh FOLDER" >&2; exit 2; }
root=$(cd "$(dirname "$0")/../.." && pwd)
sources="$1/Sources"

rm -rf "$sources"
mkdir -p "$sources"/{ApusModel,ApusEngine/Requests,TestSupport}
cp "$root/Sources/ApusModel/RaggedBatch.swift" "$sources/ApusModel/"
cp -r "$root"/Sources/ApusEngine/{Scheduling,Memory,Speculation} "$sources/ApusEngine/"
for name in AdmissionError FinishReason RequestID TokenEvent; do
  cp "$root/Sources/ApusEngine/Requests/$name.swift" "$sources/ApusEngine/Requests/"
done
cp "$root/Tests/TestSupport/SplitMix64.swift" "$sources/TestSupport/"
cp -r "$root"/Tests/Simulation/{Simulator,Command} "$sources/"

cat > "$1/Package.swift" <<'MANIFEST'
// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
  name: "Apus",
  platforms: [.macOS(.v15)],
  targets: [
    .target(name: "ApusModel", swiftSettings: strict),
    .target(name: "ApusEngine", dependencies: ["ApusModel"], swiftSettings: strict),
    .target(name: "TestSupport", swiftSettings: strict),
    .target(
      name: "Simulator", dependencies: ["ApusEngine", "ApusModel", "TestSupport"], swiftSettings: strict),
    .executableTarget(
      name: "apus-simulate", dependencies: ["Simulator"], path: "Sources/Command", swiftSettings: strict),
  ]
)
MANIFEST
