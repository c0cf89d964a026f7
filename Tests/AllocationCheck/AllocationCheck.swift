import AllocationCounter
import Apus
import ApusEngine
import ApusKernels
import ApusModel
import Foundation

/// Counts what the steady decode steps of an engine over the embedded model take from the heap. A program of its own,
/// so that nothing else runs in the process and every thread counts.
///
/// Prints a line for each case: its name, then allocations in all the steps that were counted. Exit code 1: there were
/// any, 77: this system's calls cannot be counted. With `--trace`, each one's stack goes to standard error.
@main
struct AllocationCheck {
  static func main() async throws {
    guard allocation_count() >= 0 else {
      print("not counted: needs glibc")
      exit(77)
    }
    let isTracing = CommandLine.arguments.contains("--trace")
    let actor = CheckActor()
    var total = 0
    for threadCount in [1, 2] {
      total += try await actor.check(threadCount: threadCount, isTracing: isTracing)
    }
    exit(total == 0 ? 0 : 1)
  }
}

/// Runs on one thread, as an engine does: each thread that calls the kernels costs OpenMP's runtime memory once.
actor CheckActor {
  private let thread = EngineThread()
  nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

  init() { thread.start { false } }

  /// Allocations of all cases.
  func check(threadCount: Int, isTracing: Bool) async throws -> Int {
    let model = try LanguageModel.load(.embedded, options: LoadOptions(threadCount: threadCount))
    var total = 0
    for scenario in Scenario.all {
      let counts = try await scenario.run(model.weights, model.context, isTracing: isTracing, on: self)
      let sum = counts.reduce(0, +)
      print("\(scenario.name), threads \(threadCount): \(sum) in \(counts.count) steps")
      if sum > 0 { print(counts) }
      total += sum
    }
    return total
  }
}
