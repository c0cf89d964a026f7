/// When waiting requests get slots.
public enum AdmissionMode: Sendable, Equatable {
  /// As soon as one is free.
  case continuous
  /// Only when all are: requests start together, and the slots of short ones idle until the longest ends.
  /// The baseline that continuous batching is measured against.
  case `static`
}
