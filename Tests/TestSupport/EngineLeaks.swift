package import ApusEngine

extension EngineCore {
  /// What is still held although nothing runs: nothing, if all is well.
  package var leaks: [String] {
    var found: [String] = []
    if !scheduler.isIdle { found.append("\(scheduler.runningCount) run and \(scheduler.waitingCount) wait") }
    if scheduler.freeSlotCount != scheduler.limits.slotCount { found.append("a slot is taken") }
    if scheduler.memory.heldCount != 0 { found.append("\(scheduler.memory.heldCount) pages are held") }
    return found
  }
}
