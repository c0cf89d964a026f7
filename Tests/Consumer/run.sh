#!/usr/bin/env bash
# A package elsewhere takes Apus by version, from a git tag, and runs ten lines of its README.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

git clone --quiet "$root" "$work/Apus"
git -C "$work/Apus" -c user.name=consumer -c user.email=consumer@example.invalid tag -a 1.0.0 -m "for the consumer test"

mkdir -p "$work/app/Sources/app"
cat > "$work/app/Package.swift" <<MANIFEST
// swift-tools-version: 6.2
import PackageDescription
let package = Package(
  name: "app",
  platforms: [.macOS(.v15)],
  dependencies: [.package(url: "file://$work/Apus", from: "1.0.0")],
  targets: [.executableTarget(name: "app", dependencies: [.product(name: "Apus", package: "Apus")])])
MANIFEST
cat > "$work/app/Sources/app/main.swift" <<'SWIFT'
import Apus
import Foundation

let model = try LanguageModel.load(.embedded)
if CommandLine.arguments.contains("leave") {
  // Returns from main while the engine is in the middle of a step.
  var pieces = 0
  for try await _ in try await model.generate("Tell me about the owl") {
    pieces += 1
    if pieces == 5 { break }
  }
  exit(0)
}
let prompts = ["Tell me about the fox", "Tell me about the lighthouse", "Tell me about the rain"]
for completion in try await model.batchGenerate(prompts: prompts, maxSequenceLength: 96) {
  precondition(!completion.text.isEmpty)
  print(completion.text)
}
SWIFT

cd "$work/app"
swift build
swift run --skip-build app
for _ in $(seq 60); do .build/debug/app leave; done
echo "consumer: a package that takes Apus by version builds and runs"
