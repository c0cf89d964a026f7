public import ApusCheckpoint

/// What a decoder-only transformer is made of, in the engine's terms: one graph, families as values.
///
/// A value that came from `init(directory:)` or `init(config:generation:)` keeps every promise of the fields
/// below. All sizes are at least 1, and the product of any two fits `Int` with much room.
public struct ModelConfiguration: Sendable, Equatable {
  public var architecture: ModelArchitecture
  /// Rows of the token embedding, and so of the logits.
  public var vocabularySize: Int
  /// Width of the residual stream.
  public var hiddenSize: Int
  /// Width of the gate and up projections.
  public var intermediateSize: Int
  public var layerCount: Int
  /// Query heads: a multiple of `kvHeadCount`.
  public var headCount: Int
  public var kvHeadCount: Int
  /// Elements of one head: even. Not always `hiddenSize / headCount`.
  public var headSize: Int
  /// Added to the mean square inside every RMSNorm: finite and positive.
  public var rmsNormEpsilon: Float
  public var rope: RopeConfiguration
  /// The most positions the model was made for.
  public var contextLength: Int
  /// The output projection is the token embedding.
  public var tiedEmbeddings: Bool
  /// The query, key and value projections have biases.
  public var attentionBias: Bool
  /// The output projection of attention has a bias.
  public var outputBias: Bool
  /// The gate, up and down projections have biases.
  public var mlpBias: Bool
  /// Each query and key head passes an RMSNorm of its own, with weights of `headSize`, before RoPE.
  public var queryKeyNorm: Bool
  /// One entry a layer: nil sees the whole past; with n, a row at position p sees positions p - n + 1 ... p.
  public var slidingWindows: [Int?]
  /// Token that starts a text, where the model has one.
  public var bosTokenID: Int?
  /// Tokens that end a text. An id beyond the vocabulary is kept: it can never be drawn.
  public var eosTokenIDs: [Int]
  /// Type the configuration announces; the tensors themselves decide.
  public var dtype: TensorDType?
  /// How matrices of the checkpoint are quantized, where they are.
  public var quantization: QuantizationConfiguration?
}

/// Families whose checkpoints this engine runs, named as `architectures` of `config.json` names them.
public enum ModelArchitecture: String, Sendable, Equatable, CaseIterable {
  case qwen2 = "Qwen2ForCausalLM"
  case qwen3 = "Qwen3ForCausalLM"
  case llama = "LlamaForCausalLM"
  case mistral = "MistralForCausalLM"

  /// The family as `model_type` of `config.json` names it.
  public var modelType: String {
    switch self {
    case .qwen2: "qwen2"
    case .qwen3: "qwen3"
    case .llama: "llama"
    case .mistral: "mistral"
    }
  }
}

/// Rotary position embedding over a whole head, element i paired with element i + headSize / 2.
///
/// Source: Su et al., "RoFormer", arXiv:2104.09864, in the pairing Hugging Face checkpoints are stored for.
public struct RopeConfiguration: Sendable, Equatable {
  /// Base of the frequencies theta^(-2i / headSize): finite and positive.
  public var theta: Double
  public var scaling: RopeScaling

  public init(theta: Double, scaling: RopeScaling = .none) {
    self.theta = theta
    self.scaling = scaling
  }
}

/// How the frequencies of RoPE are changed for contexts longer than those of pretraining.
public enum RopeScaling: Sendable, Equatable {
  /// `default`: not at all.
  case none
  /// Every frequency divided by `factor`, at least 1.
  case linear(factor: Double)
  /// Llama 3.1. With L = `originalContextLength`, frequencies whose wavelength is above
  /// L / `lowFrequencyFactor` are divided by `factor`, those under L / `highFrequencyFactor` kept, and
  /// between the two blended by s = (L / wavelength - low) / (high - low), as (1 - s) * f / factor + s * f.
  /// `factor` is at least 1; 0 < low < high.
  case llama3(
    factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double, originalContextLength: Int)
}
