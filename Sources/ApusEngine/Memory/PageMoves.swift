/// A page that holds positions of a slot from this step on: see `StepModel.assign`.
package struct PageAssignment: Sendable, Equatable {
  package var slot: Int
  package var index: Int
  package var page: Int32

  package init(slot: Int, index: Int, page: Int32) {
    self.slot = slot
    self.index = index
    self.page = page
  }
}

/// A page whose content another one gets before the step's rows run.
package struct PageCopy: Sendable, Equatable {
  package var source: Int32
  package var target: Int32

  package init(source: Int32, target: Int32) {
    self.source = source
    self.target = target
  }
}
