public import ApusKernels
import ApusModel

/// How an engine runs. Slots, pages, context length and rows a step come from the model.
public struct EngineConfiguration: Sendable {
  /// Prompt tokens a step at most, over all prompts: what a long prompt may delay running requests by.
  public var prefillStep: Int
  /// How long a step should take at most while requests decode. Prompts then get only the rows that fit, by what
  /// steps were measured to take. Nil: always `prefillStep`.
  public var interTokenTarget: Duration?
  /// Requests that may wait for a slot before `generate` refuses, and tokens of all of them together.
  public var queueLengthMax: Int
  public var queueTokensMax: Int
  public var admission: AdmissionMode
  /// Who of the waiting goes first.
  public var policy: any SchedulingPolicy
  /// Keeps the pages of finished requests for others that begin alike, until pages run out.
  public var prefixCaching: Bool
  /// Tokens guessed ahead for a request in a step at most, by looking its newest ones up in what came before; 0: none.
  /// Changes how fast tokens come, never which.
  public var draftTokensMax: Int
  /// Tokens of a request that may lie unread before it is ended with `.unread`.
  public var unreadTokensMax: Int
  /// The model's end-of-sequence tokens.
  public var eosTokenIDs: [Int32]

  public init(
    prefillStep: Int = 128, interTokenTarget: Duration? = nil, queueLengthMax: Int = 1024,
    queueTokensMax: Int = 1 << 24, admission: AdmissionMode = .continuous,
    policy: any SchedulingPolicy = FIFOPolicy(), prefixCaching: Bool = true, draftTokensMax: Int = 8,
    unreadTokensMax: Int = 1 << 16, eosTokenIDs: [Int32] = []
  ) {
    self.prefillStep = prefillStep
    self.interTokenTarget = interTokenTarget
    self.queueLengthMax = queueLengthMax
    self.queueTokensMax = queueTokensMax
    self.admission = admission
    self.policy = policy
    self.prefixCaching = prefixCaching
    self.draftTokensMax = draftTokensMax
    self.unreadTokensMax = unreadTokensMax
    self.eosTokenIDs = eosTokenIDs
  }

  func validate(_ model: any StepModel) throws(EngineError) {
    func check(_ holds: Bool, _ field: String, _ value: Any, _ expected: String) throws(EngineError) {
      guard holds else { throw .invalidConfiguration(field: field, value: "\(value)", expected: expected) }
    }
    try check(model.slotCount >= 1, "model.slotCount", model.slotCount, "at least 1")
    try check(model.contextLength >= 1, "model.contextLength", model.contextLength, "at least 1")
    try check(model.pageSize >= 1, "model.pageSize", model.pageSize, "at least 1")
    try check(model.pageCount >= 1, "model.pageCount", model.pageCount, "at least 1")
    try check(
      model.rowsPerStepMax >= model.slotCount, "model.rowsPerStepMax", model.rowsPerStepMax,
      "at least the model's \(model.slotCount) slots")
    try check(prefillStep >= 1, "prefillStep", prefillStep, "at least 1")
    if let interTokenTarget {
      try check(interTokenTarget > .zero, "interTokenTarget", interTokenTarget, "more than no time")
    }
    try check(queueLengthMax >= 1, "queueLengthMax", queueLengthMax, "at least 1")
    try check(queueTokensMax >= 1, "queueTokensMax", queueTokensMax, "at least 1")
    try check(draftTokensMax >= 0, "draftTokensMax", draftTokensMax, "0 (off) or more")
    try check(unreadTokensMax >= 1, "unreadTokensMax", unreadTokensMax, "at least 1")
  }
}

/// Why an engine could not be made.
public enum EngineError: Error, Sendable, Equatable {
  case invalidConfiguration(field: String, value: String, expected: String)
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
