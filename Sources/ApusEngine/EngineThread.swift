import Foundation

/// The thread on which an engine's steps and the calls into its actor run, one at a time. Steps last
/// milliseconds to seconds; on Swift's shared pool they would keep everybody's tasks waiting. Without calls
/// or work the thread sleeps.
package final class EngineThread: SerialExecutor, @unchecked Sendable {
  // Guarded by `condition`.
  private var jobs: [UnownedJob] = []
  private var isStopped = false
  private let condition = NSCondition()
  private var threadID: pthread_t?

  package init() {}

  /// Starts the thread. `step` runs on it after each round of calls, and again as long as it returns true.
  package func start(step: @escaping @Sendable () -> Bool) {
    let thread = Thread { [self] in run(step) }
    thread.name = "apus.engine"
    thread.start()
  }

  /// Lets the thread end after the calls that are queued.
  package func stop() {
    condition.withLock {
      isStopped = true
      condition.signal()
    }
  }

  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    condition.withLock {
      jobs.append(job)
      condition.signal()
    }
  }

  package func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

  package func checkIsolated() {
    let isIsolated = condition.withLock { threadID.map { pthread_equal($0, pthread_self()) != 0 } ?? false }
    precondition(isIsolated, "not on the engine's thread")
  }

  private func run(_ step: () -> Bool) {
    var hasWork = false
    var round: [UnownedJob] = []
    condition.withLock { threadID = pthread_self() }
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
