// swift-tools-version: 6.2
import PackageDescription

// run.sh says with which flags this is built.
let apus = ["Apus", "ApusModel", "ApusKernels"].map { Target.Dependency.product(name: $0, package: "Apus") }

func fuzzer(_ name: String) -> Target {
  .executableTarget(name: name, dependencies: apus + ["FuzzSupport"])
}

let package = Package(
  name: "Fuzzing",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "Apus", path: "../..")],
  targets: [
    .target(name: "FuzzSupport", dependencies: apus), fuzzer("FuzzGGUF"), fuzzer("FuzzVocabulary"),
    fuzzer("FuzzFolder"),
  ]
)
