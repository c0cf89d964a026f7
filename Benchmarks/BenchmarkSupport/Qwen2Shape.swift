import ApusCheckpoint
public import ApusModel

/// The Qwen2 models as their published configurations describe them.
public enum Qwen2Shape: String, CaseIterable, Sendable {
  /// 24 layers, 494 million weights.
  case half = "0.5b"
  /// 28 layers, 1.5 billion weights.
  case oneAndAHalf = "1.5b"
  /// 28 layers, 7.6 billion weights.
  case seven = "7b"

  public static let contextLength = 32768

  public var name: String { "Qwen2-\(rawValue.uppercased())" }

  private var sizes: String {
    switch self {
    case .half:
      """
      "hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24, "num_attention_heads": 14,
      "num_key_value_heads": 2, "vocab_size": 151936, "tie_word_embeddings": true
      """
    case .oneAndAHalf:
      """
      "hidden_size": 1536, "intermediate_size": 8960, "num_hidden_layers": 28, "num_attention_heads": 12,
      "num_key_value_heads": 2, "vocab_size": 151936, "tie_word_embeddings": true
      """
    case .seven:
      """
      "hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28, "num_attention_heads": 28,
      "num_key_value_heads": 4, "vocab_size": 152064, "tie_word_embeddings": false
      """
    }
  }

  public func configuration() throws -> ModelConfiguration {
    let text = """
      {
        "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "torch_dtype": "bfloat16",
        \(sizes), "max_position_embeddings": \(Self.contextLength), "rms_norm_eps": 1e-6,
        "rope_theta": 1000000.0, "hidden_act": "silu", "use_sliding_window": false
      }
      """
    return try ModelConfiguration(
      config: Array(text.utf8).withUnsafeBytes { try JSONObject(parsing: $0, file: name) })
  }
}
