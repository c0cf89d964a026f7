/// On what a recording was made: all that bits depend on beside the requests themselves, and what is good to know.
public struct RecordingHeader: Sendable, Equatable {
  /// Of the format. Readers refuse others.
  public static let formatVersion = 1

  /// Which model, by what it holds and not by where it lies.
  public struct Model: Sendable, Equatable, CustomStringConvertible {
    public var name: String
    /// Hashes of the configuration, and of the names, types, shapes and first bytes of all tensors.
    public var configuration: ContentHash
    public var weights: ContentHash

    public init(name: String, configuration: ContentHash, weights: ContentHash) {
      self.name = name
      self.configuration = configuration
      self.weights = weights
    }

    /// The same model, whatever it is called.
    public func isSame(as other: Model) -> Bool {
      configuration == other.configuration && weights == other.weights
    }

    public var description: String { "\(name) (configuration \(configuration), weights \(weights))" }
  }

  /// Of Apus.
  public var version: String
  public var model: Model
  public var instructionSet: String
  /// Activations stay in f32 whatever the weights' type.
  public var isPrecise: Bool
  /// The type that the weights were converted to; nil: each matrix is held as the files have it.
  public var weightType: String?
  public var kvType: String
  public var threadCount: Int
  public var slotCount: Int
  public var contextLength: Int
  public var prefillStep: Int
  public var policy: String
  public var prefixCaching: Bool
  public var draftTokensMax: Int
  public var eosTokenIDs: [Int32]

  public init(
    version: String, model: Model, instructionSet: String, isPrecise: Bool = false, weightType: String? = nil,
    kvType: String = "f32", threadCount: Int = 1, slotCount: Int, contextLength: Int, prefillStep: Int,
    policy: String = "fifo", prefixCaching: Bool = true, draftTokensMax: Int = 0, eosTokenIDs: [Int32] = []
  ) {
    self.version = version
    self.model = model
    self.instructionSet = instructionSet
    self.isPrecise = isPrecise
    self.weightType = weightType
    self.kvType = kvType
    self.threadCount = threadCount
    self.slotCount = slotCount
    self.contextLength = contextLength
    self.prefillStep = prefillStep
    self.policy = policy
    self.prefixCaching = prefixCaching
    self.draftTokensMax = draftTokensMax
    self.eosTokenIDs = eosTokenIDs
  }
}
