public import ApusKernels

/// How a model is held and run.
public struct LoadOptions: Sendable, Equatable {
  /// Type the weights are converted to; nil: each matrix is held as the files have it.
  public var weights: WeightType?
  /// Type that generators hold keys and values in.
  public var kvType: KVType
  /// Threads of each step; nil for the physical cores this process may use.
  public var threadCount: Int?
  /// nil for the best that runs here.
  public var instructionSet: InstructionSet?
  /// Keeps f32 activations, which integer weights round to int8 and bf16 dot products to bf16.
  public var precise: Bool

  public init(
    weights: WeightType? = nil, kvType: KVType = .f32, threadCount: Int? = nil,
    instructionSet: InstructionSet? = nil, precise: Bool = false
  ) {
    self.weights = weights
    self.kvType = kvType
    self.threadCount = threadCount
    self.instructionSet = instructionSet
    self.precise = precise
  }
}
