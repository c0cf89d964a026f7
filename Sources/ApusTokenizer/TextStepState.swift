/// A step on the joined text, under way: what a later part could still change waits.
struct TextStepState: Sendable {
  private let step: Decoder.TextStep
  private var pending: [UInt8] = []
  /// How many more of a strip's content go from the beginning.
  private var startLeft = 0

  init(_ step: Decoder.TextStep) {
    self.step = step
    if case .strip(let strip) = step { startLeft = strip.start }
  }

  /// Takes the next part of the text and returns what is settled; everything, at the end.
  mutating func apply(_ part: [UInt8], isEnd: Bool) -> [UInt8] {
    switch step {
    case .replace(let pattern, let content): replace(pattern, content, part, isEnd)
    case .strip(let strip): stripped(strip, part, isEnd)
    }
  }

  private mutating func replace(
    _ pattern: [UInt8], _ content: [UInt8], _ part: [UInt8], _ isEnd: Bool
  ) -> [UInt8] {
    pending += part
    var result: [UInt8] = []
    var position = 0
    while position < pending.count {
      let rest = pending[position...]
      if rest.starts(with: pattern) {
        result += content
        position += pattern.count
      } else if !isEnd, rest.count < pattern.count, pattern.starts(with: rest) {
        break
      } else {
        result.append(pending[position])
        position += 1
      }
    }
    pending.removeSubrange(..<position)
    return result
  }

  private mutating func stripped(_ strip: Decoder.Strip, _ part: [UInt8], _ isEnd: Bool) -> [UInt8] {
    pending += part
    while startLeft > 0, !pending.isEmpty {
      if pending.starts(with: strip.content) {
        pending.removeFirst(strip.content.count)
        startLeft -= 1
      } else if !isEnd, pending.count < strip.content.count, strip.content.starts(with: pending) {
        return []
      } else {
        startLeft = 0
      }
    }
    if startLeft > 0 { return [] }
    if isEnd {
      defer { pending = [] }
      return Decoder.Strip(content: strip.content, start: 0, stop: strip.stop).applied(to: pending)
    }
    // Up to `stop` of the content at the end, and a part of one more, may still have to go.
    var keep = pending.count
    let unit = strip.content.count
    for _ in 0..<strip.stop {
      guard keep >= unit, pending[keep - unit..<keep].elementsEqual(strip.content) else { break }
      keep -= unit
    }
    let result = Array(pending[..<keep])
    pending.removeSubrange(..<keep)
    return result
  }
}
