import ApusCheckpoint
import ApusModel

/// Text of a `config.json`, built from fields that a test can replace.
struct ConfigurationText {
  /// Values as JSON text.
  var fields: [String: String]

  /// The smallest valid configuration of a family.
  init(_ architecture: ModelArchitecture = .llama) {
    fields = [
      "architectures": "[\"\(architecture.rawValue)\"]", "vocab_size": "97", "hidden_size": "32",
      "intermediate_size": "44", "num_hidden_layers": "2", "num_attention_heads": "4",
      "num_key_value_heads": "2", "max_position_embeddings": "128", "rms_norm_eps": "1e-05",
    ]
  }

  /// The same with some fields replaced, or taken out where the value is nil.
  func with(_ changes: [String: String?]) -> ConfigurationText {
    var copy = self
    for (key, value) in changes { copy.fields[key] = value }
    return copy
  }

  /// Reads the text; `more` is text of further fields.
  func read(more: String? = nil, generation: String? = nil) throws -> ModelConfiguration {
    let all = fields.map { "\"\($0.key)\":\($0.value)" } + [more].compactMap(\.self)
    return try ModelConfiguration(
      config: ConfigurationText.object("{\(all.joined(separator: ","))}", "config.json"),
      generation: generation.map { try ConfigurationText.object($0, "generation_config.json") })
  }

  private static func object(_ text: String, _ file: String) throws -> JSONObject {
    try Array(text.utf8).withUnsafeBytes { try JSONObject(parsing: $0, file: file) }
  }
}
