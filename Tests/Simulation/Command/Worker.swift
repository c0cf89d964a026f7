import Foundation
import Simulator

/// A process that runs histories until one fails.
enum Worker {
  static func run(_ work: Arguments.Work) -> Int32 {
    guard let status = WorkerStatus(path: work.status) else { return 2 }
    var coverage = Coverage()
    for index in 0..<work.count {
      let seed = work.first + index * work.stride
      status.set(seed: seed, done: index)
      var simulation = Simulation(HistoryGenerator.history(seed: seed))
      let violation = simulation.run()
      coverage.add(simulation.coverage)
      if let violation {
        print("violation: \(violation)")
        return 1
      }
    }
    status.set(seed: 0, done: work.count)
    print(coverage)
    return 0
  }
}

/// Two words of a file that a worker and its supervisor both map: which history runs, and how many have. They outlive
/// the worker, however it ends.
final class WorkerStatus {
  private let words: UnsafeMutablePointer<UInt64>

  /// Nil: no such file, or it cannot be mapped.
  init?(path: String) {
    let file = open(path, O_RDWR)
    guard file >= 0 else { return nil }
    defer { close(file) }
    let memory = mmap(nil, 16, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
    guard let memory, memory != MAP_FAILED else { return nil }
    words = memory.bindMemory(to: UInt64.self, capacity: 2)
  }

  deinit { munmap(words, 16) }

  func set(seed: UInt64, done: UInt64) { (words[0], words[1]) = (seed, done) }

  var seed: UInt64 { words[0] }
  var done: UInt64 { words[1] }
}
