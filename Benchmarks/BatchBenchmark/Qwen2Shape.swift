import ApusCheckpoint
import ApusModel

/// Qwen2-0.5B as its published configuration describes it: 24 layers, 494 million weights.
enum Qwen2Shape {
  static let contextLength = 32768

  static func configuration() throws -> ModelConfiguration {
    let text = """
      {
        "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "torch_dtype": "bfloat16",
        "hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24, "num_attention_heads": 14,
        "num_key_value_heads": 2, "vocab_size": 151936, "max_position_embeddings": \(contextLength),
        "rms_norm_eps": 1e-6, "rope_theta": 1000000.0, "tie_word_embeddings": true, "hidden_act": "silu",
        "use_sliding_window": false
      }
      """
    return try ModelConfiguration(
      config: Array(text.utf8).withUnsafeBytes { try JSONObject(parsing: $0, file: "Qwen2-0.5B") })
  }
}
