/// How tokens become text: steps on single tokens, one way to join them, steps on the joined text.
///
/// The file's chain of decoders is sorted into these three when it is loaded, so that decoding can run token
/// by token and still end with the same text.
struct Decoder: Sendable {
  /// A step that sees one token at a time.
  enum TokenStep: Sendable {
    case replace(Pattern, content: [UInt8])
    /// `<0x41>` is the byte 0x41.
    case byteFallback
    case strip(Strip)
    /// The replacement becomes a space; in the first token it goes, where `dropsFirst`.
    case metaspace(replacement: [UInt8], dropsFirst: Bool)
  }

  enum Joint: Sendable {
    case plain
    case spaces
    /// Tokens spell bytes in the stand-ins of `ByteAlphabet`.
    case byteLevel
  }

  /// A step that sees the joined text, as it grows.
  enum TextStep: Sendable {
    case replace([UInt8], content: [UInt8])
    case strip(Strip)
  }

  /// Takes up to `start` of `content` off the beginning and up to `stop` off the end.
  struct Strip: Sendable {
    var content: [UInt8]
    var start: Int
    var stop: Int
  }

  var tokenSteps: [TokenStep] = []
  var joint = Joint.plain
  var textSteps: [TextStep] = []
}

/// Decoding under way: tokens go in, whole characters come out.
struct DecoderState: Sendable {
  /// A longer run of byte tokens is decoded in parts of this size.
  static let byteRunMax = 4096

  private let decoder: Decoder
  /// Bytes that are no UTF-8 stay as they are.
  private let keepsBytes: Bool
  private var bytesPending: [UInt8] = []
  private var bytesChecked = 0
  private var byteRunIsInvalid = false
  /// By token step: whether a token has gone through it.
  private var hasBegun: [Bool]
  private var hasJoined = false
  private var assembler = UTF8Assembler()
  private var textStates: [TextStepState]

  init(_ decoder: Decoder, keepsBytes: Bool) {
    self.decoder = decoder
    self.keepsBytes = keepsBytes
    hasBegun = Array(repeating: false, count: decoder.tokenSteps.count)
    textStates = decoder.textSteps.map { TextStepState($0) }
  }

  /// The bytes that a token adds in the middle of a text, whatever stands on either side.
  static func bytes(of token: [UInt8], _ decoder: Decoder) throws(TokenizerError) -> [UInt8] {
    var state = DecoderState(decoder, keepsBytes: true)
    for index in state.hasBegun.indices { state.hasBegun[index] = true }
    state.hasJoined = true
    // What is stripped is at a text's beginning and end.
    state.textStates = decoder.textSteps.compactMap { step in
      if case .replace = step { TextStepState(step) } else { nil }
    }
    var bytes: [UInt8] = []
    try state.append(token, to: &bytes)
    try state.finish(to: &bytes)
    return bytes
  }

  /// Takes a token; appends the text that is settled by now.
  mutating func append(_ token: [UInt8], to text: inout [UInt8]) throws(TokenizerError) {
    try run(token, step: 0, &text)
  }

  /// Appends what was still waiting.
  mutating func finish(to text: inout [UInt8]) throws(TokenizerError) {
    for (index, step) in decoder.tokenSteps.enumerated() {
      if case .byteFallback = step { try endByteRun(step: index, &text) }
    }
    var joined: [UInt8] = []
    assembler.finish(to: &joined)
    emit(joined, isEnd: true, &text)
  }

  private mutating func run(_ token: [UInt8], step: Int, _ text: inout [UInt8]) throws(TokenizerError) {
    guard step < decoder.tokenSteps.count else { return join(token, &text) }
    switch decoder.tokenSteps[step] {
    case .replace(let pattern, let content):
      let isText = token.withUnsafeBufferPointer { UTF8Stretch($0, from: 0) == .valid }
      try run(isText ? pattern.replacing(in: token, with: content).text : token, step: step + 1, &text)
    case .byteFallback:
      if let byte = Self.byte(of: token) {
        try take(byte, step: step, &text)
      } else {
        try endByteRun(step: step, &text)
        try run(token, step: step + 1, &text)
      }
    case .strip(let strip):
      try run(strip.applied(to: token), step: step + 1, &text)
    case .metaspace(let replacement, let dropsFirst):
      let content: [UInt8] = dropsFirst && !hasBegun[step] ? [] : [0x20]
      hasBegun[step] = true
      try run(token.replacing(replacement, with: content), step: step + 1, &text)
    }
  }

  private mutating func join(_ token: [UInt8], _ text: inout [UInt8]) {
    var joined: [UInt8] = []
    switch decoder.joint {
    case .plain:
      joined = token
    case .spaces:
      joined = hasJoined ? [0x20] + token : token
      hasJoined = true
    case .byteLevel:
      var bytes: [UInt8] = []
      token.withUnsafeBufferPointer { ByteAlphabet.shared.appendBytes(of: $0, to: &bytes) }
      if keepsBytes { joined = bytes } else { assembler.append(bytes, to: &joined) }
    }
    emit(joined, isEnd: false, &text)
  }

  private mutating func emit(_ joined: [UInt8], isEnd: Bool, _ text: inout [UInt8]) {
    var part = joined
    for index in textStates.indices { part = textStates[index].apply(part, isEnd: isEnd) }
    text.append(contentsOf: part)
  }
}

// MARK: - Byte fallback

extension DecoderState {
  /// The byte that a token like `<0x4A>` names.
  static func byte(of token: [UInt8]) -> UInt8? {
    guard token.count == 6, token.starts(with: Array("<0x".utf8)), token[5] == UInt8(ascii: ">") else {
      return nil
    }
    return UInt8(String(decoding: token[3..<5], as: UTF8.self), radix: 16)
  }

  /// A run of byte tokens is text if all of it is UTF-8; else each of its bytes is a U+FFFD. So a run waits
  /// for its end, or for the first byte that settles it.
  private mutating func take(_ byte: UInt8, step: Int, _ text: inout [UInt8]) throws(TokenizerError) {
    if keepsBytes { return try run([byte], step: step + 1, &text) }
    if byteRunIsInvalid { return try run(UTF8Assembler.replacement, step: step + 1, &text) }
    bytesPending.append(byte)
    switch bytesPending.withUnsafeBufferPointer({ UTF8Stretch($0, from: bytesChecked) }) {
    case .valid:
      bytesChecked = bytesPending.count
      if bytesChecked >= Self.byteRunMax { try endByteRun(step: step, &text) }
    case .incomplete:
      break
    case .invalid:
      try endByteRun(step: step, &text)
      byteRunIsInvalid = true
    }
  }

  private mutating func endByteRun(step: Int, _ text: inout [UInt8]) throws(TokenizerError) {
    let run = bytesPending
    let isText = bytesChecked == run.count
    bytesPending = []
    bytesChecked = 0
    byteRunIsInvalid = false
    guard !run.isEmpty else { return }
    if isText { return try self.run(run, step: step + 1, &text) }
    for _ in run { try self.run(UTF8Assembler.replacement, step: step + 1, &text) }
  }
}

extension Decoder.Strip {
  func applied(to token: [UInt8]) -> [UInt8] {
    var rest = token[...]
    for _ in 0..<start {
      guard rest.starts(with: content) else { break }
      rest = rest.dropFirst(content.count)
    }
    for _ in 0..<stop {
      guard rest.suffix(content.count).elementsEqual(content) else { break }
      rest = rest.dropLast(content.count)
    }
    return Array(rest)
  }
}

extension [UInt8] {
  func replacing(_ pattern: [UInt8], with content: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var position = 0
    while position < count {
      if self[position] == pattern[0], self[position...].starts(with: pattern) {
        result.append(contentsOf: content)
        position += pattern.count
      } else {
        result.append(self[position])
        position += 1
      }
    }
    return result
  }
}
