/// What a `tokenizer_config.json` says about the tokens that begin and end a text.
struct TokenizerConfiguration {
  var bosToken: [UInt8]?
  var eosToken: [UInt8]?

  init(_ bytes: [UInt8]) throws(TokenizerFileProblem) {
    let value = try bytes.withUnsafeBufferPointer { (text) throws(TokenizerFileProblem) in
      guard case .valid = UTF8Stretch(text, from: 0) else {
        throw .malformedJSON(offset: 0, reason: "not UTF-8")
      }
      var reader = JSONReader(text)
      let value = try reader.readValue()
      try reader.expectEnd()
      return value
    }
    let object = try JSONObject(value, path: "tokenizer_config")
    bosToken = try Self.token(object, "bos_token")
    eosToken = try Self.token(object, "eos_token")
  }

  /// A string, or an object whose member `content` is one; nil where absent.
  private static func token(_ object: JSONObject, _ name: String) throws(TokenizerFileProblem) -> [UInt8]? {
    guard let value = object[name] else { return nil }
    if case .object = value { return try object.object(name).bytes("content") }
    return try object.bytes(name)
  }
}
