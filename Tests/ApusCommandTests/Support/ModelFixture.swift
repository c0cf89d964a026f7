import Foundation
import Testing

/// A random checkpoint with what Hugging Face transformers gives for it.
struct ModelFixture {
  let url: URL
  let prompt: [Int]
  /// The 64 tokens of greatest logit after the prompt.
  let greedy: [Int]
  /// [prompt.count, vocabulary]
  let logits: [Float]

  var path: String { url.path }
  var promptList: String { prompt.map(String.init).joined(separator: ",") }

  private struct Reference: Decodable {
    let prompt, greedy: [Int]
  }

  init(_ name: String) throws {
    url = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "ApusModelTests/Fixtures/\(name)")
    let reference = try JSONDecoder().decode(
      Reference.self, from: try Data(contentsOf: url.appending(path: "reference.json")))
    prompt = reference.prompt
    greedy = reference.greedy
    logits = try floats(try Data(contentsOf: url.appending(path: "logits.bin")))
  }

  /// A copy in a folder of its own, to be damaged or added to.
  func copy() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for name in ["config.json", "generation_config.json", "model.safetensors"] {
      let data = try Data(contentsOf: url.appending(path: name))
      try data.write(to: folder.url.appending(path: name))
    }
    return folder
  }
}

/// Little-endian floats.
func floats(_ data: Data) throws -> [Float] {
  try #require(data.count % 4 == 0)
  return data.withUnsafeBytes { bytes in
    stride(from: 0, to: bytes.count, by: 4).map { offset in
      Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
    }
  }
}
