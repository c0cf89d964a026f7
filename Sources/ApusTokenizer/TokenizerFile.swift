import Foundation

/// The contents of a `tokenizer.json`.
struct TokenizerFile {
  /// Far above the largest published file (tens of megabytes).
  static let bytesMax = 512 << 20

  private(set) var components = TokenizerComponents()

  init(_ bytes: [UInt8]) throws(TokenizerFileProblem) {
    var model: ModelReader?
    var members: [String: JSONValue] = [:]
    try bytes.withUnsafeBufferPointer { (text) throws(TokenizerFileProblem) in
      switch UTF8Stretch(text, from: 0) {
      case .valid: break
      case .invalid(let at, _), .incomplete(let at): throw .malformedJSON(offset: at, reason: "not UTF-8")
      }
      var reader = JSONReader(text)
      try reader.readObject { (reader, key) throws(TokenizerFileProblem) in
        let name = key.text
        if name == "model" {
          guard model == nil else { throw reader.malformed("the key 'model' occurs twice") }
          model = try ModelReader(&reader)
        } else {
          members[name] = try reader.readValue()
        }
      }
      try reader.expectEnd()
    }
    if let version = members["version"], version != .string(Array("1.0".utf8)) {
      throw .invalidField(field: "version", expected: "\"1.0\"")
    }
    guard var model else { throw .invalidField(field: "model", expected: "an object") }
    components.template = try Template(members["post_processor"])
    try readComponents(members)
    components.options = model.options
    components.merges = try model.finish()
    components.vocabulary = model.vocabulary
  }

  private mutating func readComponents(_ members: [String: JSONValue]) throws(TokenizerFileProblem) {
    for object in try ComponentParsing.flatten(
      members["normalizer"], path: "normalizer", members: "normalizers")
    {
      components.normalizers.append(try ComponentParsing.normalizer(object))
    }
    let cutters = try ComponentParsing.flatten(
      members["pre_tokenizer"], path: "pre_tokenizer", members: "pretokenizers")
    for (index, object) in cutters.enumerated() {
      components.preTokenizers.append(
        try ComponentParsing.preTokenizer(object, isLast: index == cutters.count - 1))
    }
    if case .byteLevel? = components.preTokenizers.last { components.alphabet = .bytes }
    components.decoder = try ComponentParsing.decoder(members["decoder"])
    guard let tokens = members["added_tokens"], tokens != .null else { return }
    guard case .array(let values) = tokens else {
      throw .invalidField(field: "added_tokens", expected: "an array")
    }
    for (index, value) in values.enumerated() {
      let object = try JSONObject(value, path: "added_tokens[\(index)]")
      _ = try object.count("id", max: Vocabulary.idMax)
      components.added.append(
        AddedToken(
          content: try object.bytes("content"), isSingleWord: try object.bool("single_word"),
          stripsLeft: try object.bool("lstrip"), stripsRight: try object.bool("rstrip"),
          isNormalized: try object.bool("normalized"), isSpecial: try object.bool("special")))
    }
  }
}

/// Reads the member `model`, whose vocabulary and merges are most of the file, without a tree of it.
private struct ModelReader {
  private struct MergeSpan {
    var start: Int
    var middle: Int
    var end: Int
  }

  var vocabulary = Vocabulary()
  var options = BytePairOptions()
  private var members: [[UInt8]: JSONValue] = [:]
  private var hasVocabulary = false
  private var hasMerges = false
  /// The two tokens of each merge, one after the other.
  private var mergeBytes: [UInt8] = []
  private var mergeSpans: [MergeSpan] = []

  init(_ reader: inout JSONReader) throws(TokenizerFileProblem) {
    var seen: Set<[UInt8]> = []
    guard let first = reader.peek() else { throw reader.malformed("the text ends early") }
    guard first == UInt8(ascii: "{") else { throw .invalidField(field: "model", expected: "an object") }
    try reader.readObject { (reader, key) throws(TokenizerFileProblem) in
      guard seen.insert(key).inserted else { throw reader.malformed("the key '\(key.text)' occurs twice") }
      if key == Array("vocab".utf8), reader.peek() == UInt8(ascii: "{") {
        hasVocabulary = true
        try readVocabulary(&reader)
      } else if key == Array("merges".utf8), reader.peek() == UInt8(ascii: "[") {
        hasMerges = true
        try readMerges(&reader)
      } else {
        members[key] = try reader.readValue(depth: 1)
        if key == Array("type".utf8) { try checkType() }
      }
    }
    try readOptions()
  }

  private func checkType() throws(TokenizerFileProblem) {
    let object = try JSONObject(.object(members), path: "model")
    guard object["type"] != nil else { return }
    let type = try object.string("type")
    guard type == "BPE" else { throw object.unsupported("type", type) }
  }

  private mutating func readVocabulary(_ reader: inout JSONReader) throws(TokenizerFileProblem) {
    try reader.readObject { (reader, token) throws(TokenizerFileProblem) in
      guard case .integer(let id) = try reader.readValue(depth: JSONReader.depthMax - 1),
        0...Vocabulary.idMax ~= id
      else {
        throw .invalidField(
          field: "model.vocab['\(token.text)']", expected: "an integer in 0...\(Vocabulary.idMax)")
      }
      try vocabulary.append(token, id: id)
    }
  }

  /// Merges are `"a b"` or `["a", "b"]`.
  private mutating func readMerges(_ reader: inout JSONReader) throws(TokenizerFileProblem) {
    try reader.readArray { (reader) throws(TokenizerFileProblem) in
      let field = "model.merges[\(mergeSpans.count)]"
      let start = mergeBytes.count
      guard let first = reader.peek() else { throw reader.malformed("the text ends early") }
      guard first == UInt8(ascii: "[") else {
        guard first == UInt8(ascii: "\"") else {
          throw .invalidField(field: field, expected: "a string or two strings")
        }
        try reader.readString(into: &mergeBytes)
        if mergeBytes[start...].starts(with: Array("#version".utf8)) {
          mergeBytes.removeSubrange(start...)
          return
        }
        let spaces = mergeBytes[start...].indices.filter { mergeBytes[$0] == 0x20 }
        guard spaces.count == 1 else {
          throw .invalidField(field: field, expected: "two tokens and one space between")
        }
        mergeBytes.remove(at: spaces[0])
        mergeSpans.append(MergeSpan(start: start, middle: spaces[0], end: mergeBytes.count))
        return
      }
      var ends: [Int] = []
      try reader.readArray { (reader) throws(TokenizerFileProblem) in
        try reader.readString(into: &mergeBytes)
        ends.append(mergeBytes.count)
      }
      guard ends.count == 2 else { throw .invalidField(field: field, expected: "two strings") }
      mergeSpans.append(MergeSpan(start: start, middle: ends[0], end: ends[1]))
    }
  }

  private mutating func readOptions() throws(TokenizerFileProblem) {
    let model = try JSONObject(.object(members), path: "model")
    guard hasVocabulary else { throw model.invalid("vocab", "an object of ids") }
    guard hasMerges else { throw model.invalid("merges", "an array") }
    guard vocabulary.count > 0 else { throw model.invalid("vocab", "at least one token") }
    switch model["dropout"] {
    case nil, .integer(0), .real(0): break
    case let value?: throw model.unsupported("dropout", "\(value)")
    }
    for name in ["continuing_subword_prefix", "end_of_word_suffix"] where model[name] != nil {
      let affix = try model.string(name)
      guard affix.isEmpty else { throw model.unsupported(name, "'\(affix)'") }
    }
    if model["unk_token"] != nil { options.unknownToken = try model.bytes("unk_token") }
    options.fusesUnknown = try model.bool("fuse_unk", default: false)
    options.fallsBackToBytes = try model.bool("byte_fallback", default: false)
    options.ignoresMerges = try model.bool("ignore_merges", default: false)
  }

  /// Looks up the tokens of all merges.
  mutating func finish() throws(TokenizerFileProblem) -> MergeTable {
    try vocabulary.buildIndex()
    var table = MergeTable(count: mergeSpans.count)
    let vocabulary = vocabulary
    try mergeBytes.withUnsafeBufferPointer { (bytes) throws(TokenizerFileProblem) in
      for (index, span) in mergeSpans.enumerated() {
        func id(_ range: Range<Int>) throws(TokenizerFileProblem) -> Int32 {
          let token = UnsafeBufferPointer(rebasing: bytes[range])
          guard let id = vocabulary.id(of: token) else {
            throw .mergeOutOfVocabulary(merge: index, token: Array(token).text)
          }
          return id
        }
        let left = try id(span.start..<span.middle)
        let right = try id(span.middle..<span.end)
        let token = try id(span.start..<span.end)
        table.set(left, right, MergeTable.Merge(rank: UInt32(index), token: token))
      }
    }
    return table
  }
}

/// Reads a whole file within a limit.
func readFile(_ url: URL, limit: Int) throws(TokenizerFileProblem) -> [UInt8] {
  do {
    let handle = try FileHandle(forReadingFrom: url)
    defer { try? handle.close() }
    let data = try handle.read(upToCount: limit + 1) ?? Data()
    guard data.count <= limit else { throw TokenizerFileProblem.tooLarge(bytes: data.count, limit: limit) }
    return [UInt8](data)
  } catch let problem as TokenizerFileProblem {
    throw problem
  } catch {
    throw .unreadable(reason: error.localizedDescription)
  }
}
