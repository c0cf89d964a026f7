public import ApusEngine

/// FNV-1a over 64 bits (Fowler, Noll and Vo; RFC 9923): tells apart what differs by chance, not by intent.
public struct ContentHash: Sendable, Equatable, CustomStringConvertible {
  public private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

  public init() {}

  public mutating func combine(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }

  public mutating func combine(bytes: some Sequence<UInt8>) { for byte in bytes { combine(byte) } }

  /// Little-endian bytes.
  public mutating func combine(_ word: some FixedWidthInteger) {
    var rest = UInt64(truncatingIfNeeded: word)
    for _ in 0..<(word.bitWidth / 8) {
      combine(UInt8(truncatingIfNeeded: rest))
      rest >>= 8
    }
  }

  /// The bytes of its UTF-8 and one that ends it, so that neighbours do not run into one another.
  public mutating func combine(_ text: String) {
    combine(bytes: text.utf8)
    combine(0xff as UInt8)
  }

  /// Sixteen hexadecimal digits.
  public var description: String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
  }
}

/// What a request gave, in bits: its tokens, and the logprobs that came with them.
public struct TokenDigest: Sendable, Equatable {
  public private(set) var count = 0
  /// Of token ids.
  public private(set) var tokens = ContentHash()
  /// Of every number of the logprobs; of nothing, where there are none.
  public private(set) var logprobs = ContentHash()

  public init() {}

  init(count: Int, tokens: ContentHash, logprobs: ContentHash) {
    self.count = count
    self.tokens = tokens
    self.logprobs = logprobs
  }

  public mutating func append(_ token: GeneratedToken) {
    count += 1
    tokens.combine(token.id)
    if let values = token.logprobs { logprobs.combine(values) }
  }
}

extension ContentHash {
  mutating func combine(_ logprobs: TokenLogprobs) {
    combine(logprobs.chosen.bitPattern)
    for alternative in logprobs.top {
      combine(alternative.id)
      combine(alternative.logprob.bitPattern)
    }
  }

  init(_ logprobs: TokenLogprobs) {
    self.init()
    combine(logprobs)
  }

  /// Of its sixteen digits.
  init?(_ digits: String) {
    guard digits.utf8.count == 16, let value = UInt64(digits, radix: 16), digits.first != "+" else {
      return nil
    }
    self.value = value
  }
}
