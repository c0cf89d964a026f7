extension CheckpointTensor {
  /// The index of the first element that is NaN or infinite, or nil when all are finite.
  ///
  /// For the three weight types only; other types have no such values to find, or are no weights.
  public func firstNonFinite() -> Int? {
    switch dtype {
    case .f32: scan(exponent: 0x7F80_0000, sign: 0x8000_0000, everyLane: 0x0000_0001_0000_0001)
    case .bf16: scan(exponent: 0x7F80, sign: 0x8000, everyLane: 0x0001_0001_0001_0001)
    case .f16: scan(exponent: 0x7C00, sign: 0x8000, everyLane: 0x0001_0001_0001_0001)
    default: nil
    }
  }

  /// Throws `.nonFinite` naming tensor and element when a value is NaN or infinite.
  public func requireFinite() throws(CheckpointError) {
    if let index = firstNonFinite() { throw .nonFinite(path: path, tensor: name, index: index) }
  }

  /// An exponent of all ones carries into the sign's place when its lowest bit is added, and nothing else
  /// does; no lane carries into the next. Blocks keep the common loop free of branches.
  private func scan(exponent: UInt64, sign: UInt64, everyLane: UInt64) -> Int? {
    let elementByteCount = dtype.bitCount / 8
    let unit = everyLane * (exponent & (0 &- exponent))
    let (exponent, sign) = (everyLane * exponent, everyLane * sign)
    func flags(_ word: UInt64) -> UInt64 { ((word & exponent) &+ unit) & sign }
    return withUnsafeBytes { bytes in
      let wordByteCount = 8
      let blockByteCount = 64 * wordByteCount
      var offset = 0
      while offset + blockByteCount <= bytes.count {
        var found: UInt64 = 0
        for word in stride(from: offset, to: offset + blockByteCount, by: wordByteCount) {
          found |= flags(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: word, as: UInt64.self)))
        }
        if found != 0 { break }
        offset += blockByteCount
      }
      while offset < bytes.count {
        // Zero bytes past the end are finite.
        var word: UInt64 = 0
        for byte in 0..<min(wordByteCount, bytes.count - offset) {
          word |= UInt64(bytes[offset + byte]) << (8 * UInt64(byte))
        }
        let found = flags(word)
        if found != 0 { return (offset + found.trailingZeroBitCount / 8) / elementByteCount }
        offset += wordByteCount
      }
      return nil
    }
  }
}
