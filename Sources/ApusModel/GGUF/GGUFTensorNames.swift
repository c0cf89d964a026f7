/// The names GGUF files give to the tensors that Hugging Face checkpoints know by others.
///
/// Source: the name maps of the format's own writer, gguf-py/gguf/tensor_mapping.py in ggml-org/llama.cpp.
enum GGUFTensorNames {
  /// Divisors of the rotary frequencies, which are no weights.
  static let ropeFactors = "rope_freqs.weight"
  static let embedding = "token_embd.weight"
  static let outputHead = "output.weight"

  private static let outside = [
    "model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output",
  ]
  private static let inLayer = [
    "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm", "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
  ]

  /// The GGUF name of a tensor of `ModelConfiguration.expectedTensors`; nil for any other.
  static func name(of tensor: String) -> String? {
    // `stem.weight` or `stem.bias`.
    guard let dot = tensor.lastIndex(of: ".") else { return nil }
    let (stem, kind) = (tensor[..<dot], tensor[dot...])
    if let name = outside[String(stem)] { return name + kind }
    let parts = stem.split(separator: ".", maxSplits: 3)
    guard parts.count == 4, parts[0] == "model", parts[1] == "layers", let name = inLayer[String(parts[3])]
    else { return nil }
    return "blk.\(parts[2]).\(name)\(kind)"
  }
}
