/// Texts in pieces: ranges of one buffer, ascending.
struct PieceList {
  struct Piece {
    var range: Range<Int>
    /// Whether the piece begins where the whole text began.
    var isAtOrigin: Bool
  }

  var bytes: [UInt8]
  var pieces: [Piece]

  init(_ bytes: [UInt8], isAtOrigin: Bool) {
    self.bytes = bytes
    pieces = bytes.isEmpty ? [] : [Piece(range: 0..<bytes.count, isAtOrigin: isAtOrigin)]
  }

  /// Replaces each piece by the parts `split` finds in it, given relative to the piece; empty ones go.
  mutating func split(
    _ split: (UnsafeBufferPointer<UInt8>, inout [Range<Int>]) throws(TokenizerError) -> Void
  ) throws(TokenizerError) {
    var result: [Piece] = []
    result.reserveCapacity(pieces.count * 2)
    var parts: [Range<Int>] = []
    try bytes.withUnsafeBufferPointer { (bytes) throws(TokenizerError) in
      for piece in pieces {
        parts.removeAll(keepingCapacity: true)
        try split(UnsafeBufferPointer(rebasing: bytes[piece.range]), &parts)
        let start = piece.range.lowerBound
        for part in parts where !part.isEmpty {
          result.append(
            Piece(
              range: start + part.lowerBound..<start + part.upperBound,
              isAtOrigin: piece.isAtOrigin && part.lowerBound == 0))
        }
      }
    }
    pieces = result
  }

  /// Rewrites each piece: `rewrite` appends its new bytes.
  mutating func rewrite(_ rewrite: (UnsafeBufferPointer<UInt8>, Bool, inout [UInt8]) -> Void) {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count + bytes.count / 8)
    bytes.withUnsafeBufferPointer { bytes in
      for index in pieces.indices {
        let start = result.count
        rewrite(UnsafeBufferPointer(rebasing: bytes[pieces[index].range]), pieces[index].isAtOrigin, &result)
        pieces[index].range = start..<result.count
      }
    }
    bytes = result
  }
}

/// One step of cutting a text into the words that the model sees.
enum PreTokenizer: Sendable {
  enum PrependScheme: String, CaseIterable {
    case first, never, always
  }

  /// `pattern` cuts; `spells` turns bytes into their stand-ins, which the last step leaves to the model.
  case byteLevel(addsPrefixSpace: Bool, pattern: Pattern?, spells: Bool)
  case split(Splitter)
  case metaspace(replacement: [UInt8], scheme: PrependScheme, splitter: Splitter?)

  func apply(to list: inout PieceList) throws(TokenizerError) {
    switch self {
    case .byteLevel(let addsPrefixSpace, let pattern, let spells):
      if addsPrefixSpace {
        list.rewrite { piece, _, result in
          if piece.first != 0x20 { result.append(0x20) }
          result.append(contentsOf: piece)
        }
      }
      if let pattern { try Splitter(.pattern(pattern), .isolated).apply(to: &list) }
      if spells { list.rewrite { $2.append(contentsOf: ByteAlphabet.shared.spelled($0)) } }
    case .split(let splitter):
      try splitter.apply(to: &list)
    case .metaspace(let replacement, let scheme, let splitter):
      list.rewrite { piece, isAtOrigin, result in
        let starts = piece.first == 0x20 || piece.starts(with: replacement)
        if !starts, scheme == .always || scheme == .first && isAtOrigin {
          result.append(contentsOf: replacement)
        }
        for byte in piece {
          if byte == 0x20 { result.append(contentsOf: replacement) } else { result.append(byte) }
        }
      }
      try splitter?.apply(to: &list)
    }
  }
}
