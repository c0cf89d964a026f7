import ApusTokenizer
import Foundation

/// A tokenizer of Llama 2's kind: byte fallback, and no space at the beginning of a text.
enum FallbackTokenizer {
  static func make() throws -> Tokenizer {
    let bytes = (0..<256).map { byte in
      "<0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true) + ">"
    }
    let tokens = ["<unk>", "<s>", "</s>"] + bytes + ["▁a", "▁b", "c", "▁", "a", "b"]
    let vocabulary = tokens.enumerated().map { "\"\($1)\": \($0)" }.joined(separator: ", ")
    let special = tokens.prefix(3).enumerated().map { id, content in
      """
      {"id": \(id), "content": "\(content)", "single_word": false, "lstrip": false, "rstrip": false, \
      "normalized": false, "special": true}
      """
    }
    let file = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString).json")
    defer { try? FileManager.default.removeItem(at: file) }
    let json = """
      {"version": "1.0", "truncation": null, "padding": null,
       "added_tokens": [\(special.joined(separator: ","))],
       "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
         {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
       "pre_tokenizer": null, "post_processor": null,
       "decoder": {"type": "Sequence", "decoders": [
         {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"},
         {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
       "model": {"type": "BPE", "dropout": null, "unk_token": "<unk>", "continuing_subword_prefix": null,
         "end_of_word_suffix": null, "fuse_unk": true, "byte_fallback": true, "ignore_merges": false,
         "vocab": {\(vocabulary)}, "merges": ["▁ a", "▁ b"]}}
      """
    try Data(json.utf8).write(to: file)
    return try Tokenizer(tokenizerFile: file)
  }
}
