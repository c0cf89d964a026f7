import ApusObservability

/// Decode tokens per second against batch size, beside what batching could give at most.
struct ThroughputChart {
  static let height = 330.0

  let title: String
  let points: [(batch: Int, rate: Double)]
  let ideal: [(batch: Int, rate: Double)]

  /// - Returns: nil when nothing was decoded.
  init?(_ workload: WorkloadReport) {
    let rows = workload.rows.filter { !$0.isStatic }
    title = workload.title
    points = rows.compactMap { row in row.decodeTokensPerSecond.map { (row.batchSize, $0.median) } }
    ideal = rows.compactMap { row in
      workload.idealDecodeRate(batchSize: row.batchSize).map { (row.batchSize, $0) }
    }
    guard !points.isEmpty else { return nil }
  }

  func draw(on document: inout SVGDocument, x: Double, y: Double, width: Double) {
    let left = x + 58, right = x + width - 20, top = y + 62, bottom = y + Self.height - 48
    document.text(title, x: x + 10, y: y + 18, size: 13, isBold: true)
    document.text("decode tokens/s by batch size", x: x + 10, y: y + 35, size: 12, fill: Palette.quiet)

    let ticks = axisTicks(upTo: (points + ideal).map(\.rate).max() ?? 1)
    let largest = Double((points + ideal).map(\.batch).max() ?? 1)
    let place = { (batch: Int, rate: Double) -> (x: Double, y: Double) in
      (
        left + (right - left) * Double(batch) / (largest * 1.04),
        bottom - (bottom - top) * rate / (ticks.last ?? 1)
      )
    }
    for tick in ticks {
      let level = place(0, tick).y
      document.line(from: (left, level), to: (right, level), stroke: Palette.grid)
      document.text(
        tick == 0 ? "0" : formattedTick(tick), x: left - 7, y: level + 4, size: 11, anchor: .end,
        fill: Palette.quiet)
    }
    for point in points {
      document.text(
        "\(point.batch)", x: place(point.batch, 0).x, y: bottom + 17, size: 11, anchor: .middle,
        fill: Palette.quiet)
    }
    document.text("batch size", x: (left + right) / 2, y: bottom + 36, size: 12, anchor: .middle)
    document.polyline(
      [(left, bottom)] + ideal.map { place($0.batch, $0.rate) }, stroke: Palette.ideal, width: 1.5,
      isDashed: true)
    document.polyline(points.map { place($0.batch, $0.rate) }, stroke: Palette.measured, width: 2.5)
    for point in points {
      let spot = place(point.batch, point.rate)
      document.circle(x: spot.x, y: spot.y, radius: 4, fill: Palette.measured)
      let isLast = point.batch == points.last?.batch
      // Under the line, where the ideal never is; above it where the axis is near.
      let offset = bottom - spot.y > 16 ? 16.0 : -9
      document.text(
        formatted(point.rate), x: isLast ? right : spot.x + 7, y: spot.y + offset, size: 11,
        anchor: isLast ? .end : .start, fill: Palette.measured)
    }
    drawLegend(on: &document, x: left + 10, y: top + 4)
  }

  private func drawLegend(on document: inout SVGDocument, x: Double, y: Double) {
    document.rectangle(x: x - 4, y: y - 8, width: 176, height: 38, fill: "#ffffff")
    document.polyline([(x, y), (x + 26, y)], stroke: Palette.ideal, width: 1.5, isDashed: true)
    document.text("ideal: batch size x first", x: x + 33, y: y + 4, size: 11)
    document.polyline([(x, y + 18), (x + 26, y + 18)], stroke: Palette.measured, width: 2.5)
    document.circle(x: x + 13, y: y + 18, radius: 4, fill: Palette.measured)
    document.text("measured", x: x + 33, y: y + 22, size: 11)
  }
}

/// A tick without the decimals that all ticks lack.
func formattedTick(_ value: Double) -> String {
  value == value.rounded() ? grouped(Int(value)) : "\((value * 1000).rounded() / 1000)"
}
