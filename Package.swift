// swift-tools-version: 6.2
// 6.2 is the first version from which a dependency taken by version may carry -fopenmp.
import PackageDescription

#if os(macOS)
  let openMP = [
    "-Xclang", "-fopenmp", "-I/opt/homebrew/opt/libomp/include", "-I/opt/homebrew/opt/openblas/include",
  ]
  let openMPLibrary = "omp"
#else
  let openMP = ["-fopenmp"]
  let openMPLibrary = "omp5"
#endif

let strict: [SwiftSetting] = [
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

func library(
  _ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = [], resources: [Resource] = []
) -> Target {
  .target(
    name: name, dependencies: dependencies, exclude: exclude, resources: resources, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: dependencies + ["TestSupport"], resources: resources,
    swiftSettings: strict)
}

let metrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
/// What the HTTP server is made of.
let http: [Target.Dependency] = [
  logging, lifecycle,
  .product(name: "AsyncAlgorithms", package: "swift-async-algorithms"),
  .product(name: "HTTPTypes", package: "swift-http-types"),
  .product(name: "Hummingbird", package: "hummingbird"),
  .product(name: "HummingbirdCore", package: "hummingbird"),
  .product(name: "NIOCore", package: "swift-nio"),
  .product(name: "NIOHTTP1", package: "swift-nio"),
  .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
  .product(name: "NIOPosix", package: "swift-nio"),
]

/// The web page, inside the program. Each file is named: those that make it up are Swift's to know.
let page: [Resource] = [
  "page.html", "icon.svg", "colors.css", "layout.css", "controls.css", "playground.css", "live.css",
  "main.js", "server.js", "events.js", "element.js", "key.js", "options.js", "pane.js", "playground.js",
  "history.js", "timeline.js", "live.js",
].map { .embedInCode("Page/\($0)") }

let package = Package(
  name: "Apus",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "Apus", targets: ["Apus"]),
    .library(name: "ApusServer", targets: ["ApusServer"]),
    .library(name: "ApusEngine", targets: ["ApusEngine"]),
    .library(name: "ApusObservability", targets: ["ApusObservability"]),
    .library(name: "ApusGrammar", targets: ["ApusGrammar"]),
    .library(name: "ApusModel", targets: ["ApusModel"]),
    .library(name: "ApusCheckpoint", targets: ["ApusCheckpoint"]),
    .library(name: "ApusTokenizer", targets: ["ApusTokenizer"]),
    .library(name: "ApusTemplate", targets: ["ApusTemplate"]),
    .library(name: "ApusKernels", targets: ["ApusKernels"]),
    .executable(name: "apus", targets: ["ApusCommand"]),
    .executable(name: "batch-benchmark", targets: ["BatchBenchmark"]),
    .executable(name: "engine-benchmark", targets: ["EngineBenchmark"]),
    .executable(name: "kernel-benchmark", targets: ["KernelBenchmark"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    .package(url: "https://github.com/apple/swift-async-algorithms", from: "1.0.0"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.0.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.5.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.100.0"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.30.0"),
    // Without its traits: configuration from files and the environment is not read here.
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.9.0"),
  ],
  targets: [
    .target(
      name: "CKernels", path: "CKernels", publicHeadersPath: "include",
      cSettings: [
        .unsafeFlags(openMP),
        // Unoptimised kernels would make `swift test` crawl.
        .unsafeFlags(["-O2"], .when(configuration: .debug)),
      ],
      linkerSettings: [.linkedLibrary(openMPLibrary), .linkedLibrary("openblas")]),
    library("ApusKernels", ["CKernels"]),
    library("ApusCheckpoint"),
    library("ApusModel", ["ApusKernels", "ApusCheckpoint"]),
    library("ApusTokenizer"),
    library("ApusTemplate", ["ApusCheckpoint"]),
    library("ApusEngine", ["ApusModel", "ApusKernels"]),
    library("ApusObservability", ["ApusEngine", "ApusCheckpoint", metrics]),
    library("ApusGrammar", ["ApusEngine", "ApusCheckpoint"]),
    library("ApusStories", exclude: ["Training"], resources: [.copy("Model")]),
    library(
      "Apus",
      [
        "ApusEngine", "ApusGrammar", "ApusModel", "ApusCheckpoint", "ApusObservability", "ApusTokenizer",
        "ApusTemplate", "ApusStories",
      ]),
    library(
      "ApusServer",
      [
        "Apus", "ApusCheckpoint", "ApusEngine", "ApusGrammar", "ApusKernels", "ApusModel",
        "ApusObservability", "ApusTemplate", "ApusTokenizer",
      ] + http, exclude: ["Deployment", "Page/screenshot.png"], resources: page),
    .executableTarget(
      name: "ApusCommand",
      dependencies: [
        "Apus", "ApusServer", "ApusEngine", "ApusGrammar", "ApusModel", "ApusCheckpoint",
        "ApusObservability", "ApusTokenizer", "ApusTemplate", "ApusKernels", argumentParser, logging,
        lifecycle,
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "BatchBenchmark",
      dependencies: [
        "Apus", "ApusCheckpoint", "ApusEngine", "ApusKernels", "ApusModel", "ApusObservability",
        "ApusTokenizer", "BenchmarkSupport",
        argumentParser,
      ],
      path: "Benchmarks/BatchBenchmark", swiftSettings: strict),
    .executableTarget(
      name: "KernelBenchmark", dependencies: ["ApusKernels", "BenchmarkSupport", "CKernels", argumentParser],
      path: "Benchmarks/KernelBenchmark", swiftSettings: strict),
    .executableTarget(
      name: "EngineBenchmark",
      dependencies: [
        "ApusEngine", "ApusKernels", "ApusModel", "ApusObservability", "BenchmarkSupport", argumentParser,
      ],
      path: "Benchmarks/EngineBenchmark", swiftSettings: strict),
    .target(
      name: "BenchmarkSupport",
      dependencies: ["ApusEngine", "ApusModel", "ApusCheckpoint", "ApusKernels", "ApusObservability"],
      path: "Benchmarks/BenchmarkSupport",
      swiftSettings: strict),

    .target(
      name: "TestSupport", dependencies: ["ApusEngine", "ApusKernels", "ApusModel"],
      path: "Tests/TestSupport",
      swiftSettings: strict),
    .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
    .executableTarget(
      name: "AllocationCheck",
      dependencies: ["AllocationCounter", "Apus", "ApusEngine", "ApusKernels", "ApusModel"],
      path: "Tests/AllocationCheck", swiftSettings: strict),
    tests("CKernels", ["CKernels"]),
    tests("ApusKernels", ["ApusKernels"]),
    tests("ApusCheckpoint", ["ApusCheckpoint"], resources: [.copy("Fixtures")]),
    tests(
      "ApusModel",
      ["ApusModel", "ApusCheckpoint", "ApusEngine", "ApusKernels", "ApusStories", "ApusTokenizer"],
      resources: [.copy("Fixtures")]),
    tests("ApusTokenizer", ["ApusTokenizer"], resources: [.copy("Fixtures")]),
    tests("ApusTemplate", ["ApusTemplate", "ApusCheckpoint"], resources: [.copy("Fixtures")]),
    tests(
      "ApusEngine", ["ApusEngine", "ApusKernels", "ApusModel"], resources: [.copy("Fixtures")]),
    tests(
      "ApusObservability",
      ["ApusObservability", "ApusEngine", "ApusCheckpoint", "ApusModel", metrics],
      resources: [.copy("Fixtures")]),
    tests(
      "ApusGrammar", ["ApusGrammar", "ApusEngine", "ApusStories", "ApusTokenizer"],
      resources: [.copy("Fixtures")]),
    tests("Apus", ["Apus", "ApusEngine", "ApusGrammar", "ApusTemplate", "ApusCheckpoint", "ApusTokenizer"]),
    tests(
      "ApusServer",
      ["Apus", "ApusServer", "ApusCheckpoint", "ApusEngine", "ApusModel", "ApusTokenizer"] + http),
    .target(
      name: "Simulator", dependencies: ["ApusEngine", "ApusModel", "TestSupport"],
      path: "Tests/Simulation/Simulator", swiftSettings: strict),
    .executableTarget(
      name: "apus-simulate", dependencies: ["Simulator"], path: "Tests/Simulation/Command",
      swiftSettings: strict),
    .testTarget(
      name: "SimulationTests", dependencies: ["Simulator"], path: "Tests/Simulation",
      exclude: ["Command", "Faults", "README.md", "Simulator", "make-package.sh", "run-faults.sh"],
      swiftSettings: strict),
    .testTarget(name: "TidyTests", swiftSettings: strict),
    tests(
      "ApusCommand",
      ["Apus", "ApusCheckpoint", "ApusCommand", "ApusEngine", "ApusServer", argumentParser] + http,
      resources: [.copy("Fixtures")]),
    tests("BatchBenchmark", ["BenchmarkSupport", "ApusEngine", "ApusObservability"]),
  ]
)
