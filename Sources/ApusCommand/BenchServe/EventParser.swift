/// Takes server-sent events (WHATWG HTML, section 9.2) out of bytes that come in any pieces: the data of each
/// event. Comments and names are skipped.
struct EventParser: Sendable {
  /// Bytes of an event at most: who sends more sends no events.
  static let byteCountMax = 16 << 20

  struct TooLong: Error {}

  private var line: [UInt8] = []
  private var data: [UInt8] = []
  private var hasData = false
  private var endsWithReturn = false

  init() {}

  /// The events that end in `bytes`.
  mutating func append(_ bytes: some Sequence<UInt8>) throws(TooLong) -> [String] {
    var events: [String] = []
    for byte in bytes {
      switch byte {
      case 0x0A where endsWithReturn: endsWithReturn = false
      case 0x0A, 0x0D:
        endsWithReturn = byte == 0x0D
        if let event = endLine() { events.append(event) }
      default:
        endsWithReturn = false
        line.append(byte)
        guard line.count + data.count <= Self.byteCountMax else { throw TooLong() }
      }
    }
    return events
  }

  /// The event, where the line is the empty one after it.
  private mutating func endLine() -> String? {
    defer { line.removeAll(keepingCapacity: true) }
    guard !line.isEmpty else {
      defer {
        data.removeAll(keepingCapacity: true)
        hasData = false
      }
      return hasData ? String(decoding: data, as: UTF8.self) : nil
    }
    guard line.starts(with: "data".utf8) else { return nil }
    var value = line.dropFirst(4)
    if !value.isEmpty {
      guard value.removeFirst() == UInt8(ascii: ":") else { return nil }
      if value.first == UInt8(ascii: " ") { value.removeFirst() }
    }
    if hasData { data.append(0x0A) }
    data += value
    hasData = true
    return nil
  }
}
