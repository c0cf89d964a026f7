/// A page that holds positions of a slot from this step on: see `StepModel.assign`.
package struct PageAssignment: Sendable, Equatable {
  package var slot: Int
  package var index: Int
  package var page: Int32
}

/// A page whose content another one gets before the step's rows run.
package struct PageCopy: Sendable, Equatable {
  package var source: Int32
  package var target: Int32
}
