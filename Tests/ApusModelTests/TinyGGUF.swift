import Foundation
import TestSupport

/// A Llama of one layer as a GGUF file: 4 tokens, width 8, 2 heads of 4, weights of small numbers.
struct TinyGGUF {
  var pairs: [GGUFBytes.Pair] = [
    .string("general.architecture", "llama"),
    .uint32("llama.embedding_length", 8),
    .uint32("llama.block_count", 1),
    .uint32("llama.attention.head_count", 2),
    .uint32("llama.context_length", 64),
    .uint32("llama.feed_forward_length", 6),
    .float("llama.attention.layer_norm_rms_epsilon", 1e-5),
  ]
  /// Names and sizes, contiguous axis first.
  var tensors: [(name: String, sizes: [UInt64])] = [
    ("token_embd.weight", [8, 4]), ("output_norm.weight", [8]), ("blk.0.attn_norm.weight", [8]),
    ("blk.0.attn_q.weight", [8, 8]), ("blk.0.attn_k.weight", [8, 8]), ("blk.0.attn_v.weight", [8, 8]),
    ("blk.0.attn_output.weight", [8, 8]), ("blk.0.ffn_norm.weight", [8]), ("blk.0.ffn_gate.weight", [8, 6]),
    ("blk.0.ffn_up.weight", [8, 6]), ("blk.0.ffn_down.weight", [6, 8]),
  ]

  /// What a tensor holds, where it is to hold something of its own.
  var values: [String: [Float]] = [:]

  /// Replaces a pair, or adds it.
  mutating func set(_ pair: GGUFBytes.Pair) {
    remove(pair.key)
    pairs.append(pair)
  }

  mutating func remove(_ key: String) { pairs.removeAll { $0.key == key } }

  /// The file, F32 tensors one after the other. Data counts up in each byte's low five bits: finite floats.
  var bytes: [UInt8] {
    var data: [UInt8] = []
    var entries: [GGUFBytes.Tensor] = []
    for (name, sizes) in tensors {
      entries.append(.init(name: name, sizes: sizes, offset: UInt64(data.count)))
      let counted = (0..<Int(sizes.reduce(4, *))).map { UInt8($0 & 31) }
      data += values[name].map { $0.flatMap { GGUFBytes.little($0.bitPattern) } } ?? counted
      data += [UInt8](repeating: 0, count: (32 - data.count % 32) % 32)
    }
    let file = GGUFBytes(pairs: pairs, tensors: entries, dataByteCount: data.count).bytes
    return file.dropLast(data.count) + data
  }
}

extension GGUFBytes.Pair {
  static func float(_ key: String, _ value: Float) -> Self {
    Self(key: key, type: 6, value: GGUFBytes.little(value.bitPattern))
  }
}
