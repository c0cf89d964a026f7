public import ApusKernels

/// When waiting requests get slots.
public enum AdmissionMode: Sendable, Equatable {
  /// As soon as one is free.
  case continuous
  /// Only when all are: requests start together, and the slots of short ones idle until the longest ends.
  /// The baseline that continuous batching is measured against.
  case `static`
}

/// How an engine runs. Slots, context length and rows a step come from the model.
public struct EngineConfiguration: Sendable, Equatable {
  /// Prompt tokens a step at most, over all prompts: what a long prompt may delay running requests by.
  public var prefillStep: Int
  /// Requests that may wait for a slot before `generate` refuses.
  public var queueLengthMax: Int
  public var admission: AdmissionMode
  /// The model's end-of-sequence tokens.
  public var eosTokenIDs: [Int32]

  public init(
    prefillStep: Int = 128, queueLengthMax: Int = 1024, admission: AdmissionMode = .continuous,
    eosTokenIDs: [Int32] = []
  ) {
    self.prefillStep = prefillStep
    self.queueLengthMax = queueLengthMax
    self.admission = admission
    self.eosTokenIDs = eosTokenIDs
  }
}

/// Why an engine could not be made.
public enum EngineError: Error, Sendable, Equatable {
  case invalidConfiguration(field: String, value: Int, expected: String)
  /// The kernels that draw tokens could not be had.
  case kernels(KernelError)
}

extension EngineError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .invalidConfiguration(let field, let value, let expected):
      "\(field) is \(value), expected \(expected)"
    case .kernels(let error): error.description
    }
  }
}
