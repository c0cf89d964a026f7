import Foundation
import Testing

/// One folder of `Fixtures`: a checkpoint, and what Hugging Face transformers computes from it in float32.
struct ReferenceFixture: CustomTestStringConvertible {
  let name: String
  /// The model folder.
  let directory: URL
  let prompt: [Int]
  /// The 64 tokens of greatest logit after the prompt. No end token is among them.
  let greedy: [Int]
  /// [prompt.count, vocabularySize], row-major.
  let logits: [Float]
  /// The configuration as transformers understands it.
  let configuration: Configuration

  struct Configuration: Decodable {
    let architecture: String
    let vocab_size, hidden_size, intermediate_size, num_hidden_layers: Int
    let num_attention_heads, num_key_value_heads, head_dim, max_position_embeddings: Int
    let rms_norm_eps: Double
    let tie_word_embeddings: Bool
    let rope_parameters: Rope
    let sliding_windows: [Int?]
  }

  struct Rope: Decodable {
    let rope_type: String
    let rope_theta: Double
    let factor, low_freq_factor, high_freq_factor: Double?
    let original_max_position_embeddings: Int?
  }

  private struct Reference: Decodable {
    let prompt, greedy, logits_shape: [Int]
    let configuration: Configuration
  }

  var testDescription: String { name }

  init(_ name: String) throws {
    self.name = name
    directory = ReferenceFixture.folder.appending(path: name)
    let data = try Data(contentsOf: directory.appending(path: "reference.json"))
    let reference = try JSONDecoder().decode(Reference.self, from: data)
    prompt = reference.prompt
    greedy = reference.greedy
    configuration = reference.configuration
    let bytes = try Data(contentsOf: directory.appending(path: "logits.bin"))
    logits = bytes.withUnsafeBytes { bytes in
      stride(from: 0, to: bytes.count, by: 4).map { offset in
        Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
      }
    }
    try #require(reference.logits_shape == [prompt.count, configuration.vocab_size])
    try #require(logits.count == prompt.count * configuration.vocab_size)
  }

  static let folder = Bundle.module.resourceURL!.appending(path: "Fixtures")

  /// All of them, by name.
  static let all: [ReferenceFixture] = {
    let names = try! FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    let folders = names.filter {
      FileManager.default.fileExists(atPath: folder.appending(path: "\($0)/reference.json").path)
    }
    return folders.map { try! ReferenceFixture($0) }
  }()
}
