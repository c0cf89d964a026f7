import Foundation

/// The thread on which an engine's steps and the calls into its actor run, one at a time. Steps last milliseconds to
/// seconds; on Swift's shared pool they would keep everybody's tasks waiting. Without calls or work the thread
/// sleeps.
final class EngineThread: SerialExecutor, @unchecked Sendable {
  // Guarded by `condition`.
  private var jobs: [UnownedJob] = []
  private var isStopped = false
  private let condition = NSCondition()
  /// Written by `start` before the thread runs.
  private var thread: Thread?

  /// Starts the thread. `step` runs on it after each round of calls, and again as long as it returns true.
  func start(step: @escaping @Sendable () -> Bool) {
    let thread = Thread { [self] in run(step) }
    thread.name = "apus.engine"
    self.thread = thread
    thread.start()
  }

  /// Lets the thread end after the calls that are queued.
  func stop() {
    condition.withLock {
      isStopped = true
      condition.signal()
    }
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    condition.withLock {
      jobs.append(job)
      condition.signal()
    }
  }

  func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

  func checkIsolated() {
    precondition(Thread.current === thread, "not on the engine's thread")
  }

  private func run(_ step: () -> Bool) {
    var hasWork = false
    var round: [UnownedJob] = []
    while true {
      let isOver = condition.withLock {
        while jobs.isEmpty && !hasWork && !isStopped { condition.wait() }
        swap(&jobs, &round)
        return isStopped && round.isEmpty
      }
      if isOver { return }
      // A round, not until none are left: calls that keep coming must not keep steps from running.
      for job in round { job.runSynchronously(on: asUnownedSerialExecutor()) }
      round.removeAll(keepingCapacity: true)
      hasWork = step()
    }
  }
}
