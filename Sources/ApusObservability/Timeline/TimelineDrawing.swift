import ApusEngine
import Foundation

/// Timelines of requests as SVG: a lane each, coloured by phase, over a common axis; beside it how its time divides.
/// Readable on light and on dark.
public struct TimelineDrawing: Sendable {
  /// Requests drawn at most: the first to come.
  public static let requestCountMax = 64

  private static let width = 1200.0
  private static let left = 118.0
  private static let right = 952.0
  private static let summaryLeft = 1032.0
  private static let summaryRight = 1184.0
  private static let top = 96.0

  private let timelines: ArraySlice<RequestTimeline>
  private let requestCount: Int
  private let start: Duration
  /// Seconds that the axis stands for.
  private let span: Double
  private let lane: Double
  private let gap: Double

  /// - Parameter timelines: in the order of arrival.
  public init(_ timelines: [RequestTimeline]) {
    requestCount = timelines.count
    self.timelines = timelines.prefix(Self.requestCountMax)
    start = self.timelines.map(\.submitted).min() ?? .zero
    let end = self.timelines.map { $0.submitted + $0.total }.max() ?? .zero
    span = max((end - start).inSeconds, 1e-6)
    lane = self.timelines.count > 24 ? 12 : 18
    gap = self.timelines.count > 24 ? 3 : 5
  }

  /// The file's text.
  public func svg() -> String {
    let bottom = Self.top + Double(timelines.count) * (lane + gap)
    var document = SVGDocument(width: Self.width, height: bottom + 52, darkColours: Colour.dark)
    drawHead(on: &document)
    drawAxis(on: &document, bottom: bottom)
    for (place, timeline) in timelines.enumerated() {
      draw(timeline, on: &document, y: Self.top + Double(place) * (lane + gap))
    }
    return document.rendered()
  }

  private func drawHead(on document: inout SVGDocument) {
    let total =
      requestCount > timelines.count ? "the first \(timelines.count) of \(requestCount)" : "\(requestCount)"
    document.text(
      "Requests over time: \(total)", x: 16, y: 26, size: 15, fill: Colour.ink, isBold: true)
    var x = 16.0
    for phase in RequestTimeline.Phase.allCases {
      document.rectangle(x: x, y: 44, width: 14, height: 14, fill: phase.colour, radius: 2)
      document.text(phase.title, x: x + 20, y: 55.5, size: 12, fill: Colour.ink)
      x += 44 + 6.6 * Double(phase.title.count)
    }
    document.text("end to end", x: Self.right + 8, y: Self.top - 10, size: 11, fill: Colour.quiet)
    document.text("shares of it", x: Self.summaryLeft, y: Self.top - 10, size: 11, fill: Colour.quiet)
  }

  private func drawAxis(on document: inout SVGDocument, bottom: Double) {
    let unit = span < 1 ? (scale: 1000.0, name: "ms") : (scale: 1.0, name: "s")
    let ticks = axisTicks(upTo: span * unit.scale, count: 10).filter { $0 <= span * unit.scale * 1.0001 }
    for tick in ticks {
      let x = place(tick / unit.scale)
      document.line(from: (x, Self.top - 4), to: (x, bottom + 4), stroke: Colour.grid)
      document.text(
        "\(label(tick)) \(unit.name)", x: x, y: bottom + 20, size: 11, anchor: .middle, fill: Colour.quiet)
    }
  }

  private func draw(_ timeline: RequestTimeline, on document: inout SVGDocument, y: Double) {
    let size = lane > 14 ? 11.5 : 10
    let text = y + lane / 2 + size * 0.36
    document.text(
      "request \(timeline.request.rawValue)", x: Self.left - 10, y: text, size: size, anchor: .end,
      fill: Colour.ink)
    for piece in pieces(of: timeline) {
      document.rectangle(
        x: piece.start, y: y, width: piece.end - piece.start, height: lane, fill: piece.part.phase.colour,
        isCrisp: true, title: tip(piece.part, of: timeline))
    }
    document.text(
      formattedTime(timeline.total.inSeconds), x: Self.right + 8, y: text, size: size, fill: Colour.ink)
    drawShares(of: timeline, on: &document, y: y)
  }

  private func drawShares(of timeline: RequestTimeline, on document: inout SVGDocument, y: Double) {
    let total = timeline.total.inSeconds
    guard total > 0 else { return }
    var x = Self.summaryLeft
    for phase in RequestTimeline.Phase.allCases {
      let seconds = timeline.duration(of: phase).inSeconds
      let width = seconds / total * (Self.summaryRight - Self.summaryLeft)
      guard width > 0 else { continue }
      document.rectangle(
        x: x, y: y, width: width, height: lane, fill: phase.colour, isCrisp: true,
        title: "\(timeline.request): \(phase.title) \(formattedTime(seconds)), "
          + "\(Int((seconds / total * 100).rounded())) %")
      x += width
    }
  }

  private func tip(_ part: RequestTimeline.Part, of timeline: RequestTimeline) -> String {
    let from = formattedTime((part.start - start).inSeconds)
    var text =
      "\(timeline.request): \(part.phase.title) for \(formattedTime(part.duration.inSeconds)) from \(from)"
    if !part.by.isEmpty {
      let names = part.by.prefix(8).map { "\($0.rawValue)" }.joined(separator: ", ")
      text += ", behind \(names)\(part.by.count > 8 ? " and \(part.by.count - 8) more" : "")"
    }
    return text
  }

  private struct Piece {
    var start: Double
    var end: Double
    var part: RequestTimeline.Part
  }

  /// What to draw: parts of a pixel and more as they are; shorter ones share pixels, each of which shows the phase
  /// that had most of it, so that a drawing does not grow with the number of steps.
  private func pieces(of timeline: RequestTimeline) -> [Piece] {
    var pieces: [Piece] = []
    var index = 0
    let parts = timeline.parts
    while index < parts.count {
      let first = place(parts[index].start)
      let longest = place(parts[index].end)
      guard longest - first < 1 else {
        append(Piece(start: first, end: longest, part: parts[index]), to: &pieces)
        index += 1
        continue
      }
      var durations: [RequestTimeline.Phase: Duration] = [:]
      var last = index
      while last < parts.count, place(parts[last].end) - first < 1 {
        durations[parts[last].phase, default: .zero] += parts[last].duration
        last += 1
      }
      let most = parts[index..<last].max {
        (durations[$0.phase]!, $1.phase.rawValue) < (durations[$1.phase]!, $0.phase.rawValue)
      }!
      append(Piece(start: first, end: place(parts[last - 1].end), part: most), to: &pieces)
      index = last
    }
    return pieces
  }

  private func append(_ piece: Piece, to pieces: inout [Piece]) {
    if let last = pieces.last, last.part.phase == piece.part.phase,
      last.part.by == piece.part.by || piece.part.phase == .queued
    {
      pieces[pieces.count - 1].end = piece.end
      pieces[pieces.count - 1].part.end = piece.part.end
      // Others come and go while one waits in the queue: the lane names none of them.
      if last.part.by != piece.part.by { pieces[pieces.count - 1].part.by = [] }
    } else {
      pieces.append(piece)
    }
  }

  private func place(_ time: Duration) -> Double { place((time - start).inSeconds) }

  private func place(_ seconds: Double) -> Double { Self.left + seconds / span * (Self.right - Self.left) }

  private func label(_ value: Double) -> String {
    value == value.rounded() ? "\(Int(value))" : String(format: "%g", value)
  }
}

/// Seconds in the unit that fits, three digits or so.
private func formattedTime(_ seconds: Double) -> String {
  switch seconds {
  case ..<0.0000995: String(format: "%.1f µs", seconds * 1e6)
  case ..<0.0995: String(format: "%.2f ms", seconds * 1e3)
  case ..<0.9995: String(format: "%.0f ms", seconds * 1e3)
  case ..<99.5: String(format: "%.2f s", seconds)
  default: String(format: "%.0f s", seconds)
  }
}

/// Told apart by who does not see red from green too: lightness differs as much as hue.
private enum Colour {
  static let ink = "#24292f"
  static let quiet = "#6e7781"
  static let grid = "#e4e8ec"

  /// Of the page, words and lines; the phases' own are seen on both.
  static let dark = [
    (light: "#ffffff", dark: "#0d1117"), (light: ink, dark: "#e6edf3"), (light: quiet, dark: "#9198a1"),
    (light: grid, dark: "#21262d"), (light: RequestTimeline.Phase.queued.colour, dark: "#3d444d"),
  ]
}

extension RequestTimeline.Phase {
  fileprivate var colour: String {
    switch self {
    case .queued: "#d0d7de"
    case .waitingForPages: "#a475f9"
    case .prefill: "#1f6feb"
    case .decode: "#79b8ff"
    case .behindPrompts: "#f0883e"
    case .preempted: "#b62324"
    case .recomputing: "#e3b341"
    }
  }
}
