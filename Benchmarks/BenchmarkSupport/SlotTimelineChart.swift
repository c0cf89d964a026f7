import ApusObservability

/// Which request held which slot when: one lane a slot, prefill dark, decode light, idle grey.
struct SlotTimelineChart {
  private static let lane = 24.0
  private static let gap = 4.0
  private static let head = 44.0
  private static let foot = 46.0

  let title: String
  let slotCount: Int
  let intervals: [SlotInterval]

  var height: Double { Self.head + Double(slotCount) * (Self.lane + Self.gap) + Self.foot }

  /// When the last request ends, in seconds.
  var end: Double { intervals.map(\.finished).max() ?? 0 }

  init(_ row: BatchReport, of workload: WorkloadReport) {
    title =
      "\(workload.title): batch size \(row.batchSize), "
      + (row.isStatic ? "static batches" : "continuous batching")
    slotCount = row.batchSize
    intervals = row.timeline
  }

  /// - Parameter duration: seconds that the width stands for, so that several drawings share an axis.
  func draw(on document: inout SVGDocument, x: Double, y: Double, width: Double, duration: Double) {
    let left = x + 58, right = x + width - 20, top = y + Self.head
    let ticks = axisTicks(upTo: max(duration, 1e-6), count: 8)
    let scale = (right - left) / (ticks.last ?? 1)
    document.text(title, x: x + 10, y: y + 18, size: 13, isBold: true)
    document.text(
      "all done after \(formatted(end)) s", x: right, y: y + 18, size: 12, anchor: .end, fill: Palette.quiet)

    let bottom = top + Double(slotCount) * (Self.lane + Self.gap)
    for slot in 0..<slotCount {
      let lane = top + Double(slot) * (Self.lane + Self.gap)
      document.text("slot \(slot)", x: left - 8, y: lane + 16, size: 11, anchor: .end, fill: Palette.quiet)
      document.rectangle(x: left, y: lane, width: end * scale, height: Self.lane, fill: Palette.idle)
    }
    for tick in ticks {
      let place = left + tick * scale
      document.line(from: (place, bottom), to: (place, bottom + 5), stroke: Palette.quiet)
      document.text(
        formattedTick(tick) + (tick == ticks.last ? " s" : ""), x: place, y: bottom + 18, size: 11,
        anchor: .middle, fill: Palette.quiet)
    }
    for interval in intervals where (0..<slotCount).contains(interval.slot) {
      draw(interval, on: &document, left: left, top: top, scale: scale)
    }
  }

  private func draw(
    _ interval: SlotInterval, on document: inout SVGDocument, left: Double, top: Double, scale: Double
  ) {
    let lane = top + Double(interval.slot) * (Self.lane + Self.gap)
    let start = left + interval.admitted * scale
    let middle = left + interval.firstToken * scale
    // A hairline of white between neighbours.
    let end = max(left + interval.finished * scale - 1, middle + 0.5)
    let tip =
      "request \(interval.request): slot \(interval.slot) from \(formatted(interval.admitted)) s, "
      + "first token at \(formatted(interval.firstToken)) s, done at \(formatted(interval.finished)) s"
    document.rectangle(
      x: start, y: lane, width: middle - start, height: Self.lane, fill: Palette.prefill, title: tip)
    document.rectangle(
      x: middle, y: lane, width: end - middle, height: Self.lane, fill: Palette.decode, title: tip)
    let label = "\(interval.request)"
    guard end - middle > 8 + 7 * Double(label.count) else { return }
    document.text(label, x: (middle + end) / 2, y: lane + 16, size: 11, anchor: .middle)
  }
}
