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

let model = try LanguageModel.load(.embedded)
let prompts = ["Tell me about the fox", "Tell me about the lighthouse", "Tell me about the rain"]
for completion in try await model.batchGenerate(prompts: prompts, maxSequenceLength: 96) {
  precondition(!completion.text.isEmpty)
  print(completion.text)
}
SWIFT

cd "$work/app"
swift build
swift run --skip-build app
echo "consumer: a package that takes Apus by version builds and runs"
