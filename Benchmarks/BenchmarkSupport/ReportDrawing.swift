import ApusObservability

extension BenchmarkReport {
  /// Decode throughput of each workload above the timeline of slots of the one that shows most, as SVG.
  public func drawing() -> String {
    let width = 1000.0
    let margin = 12.0
    let charts = workloads.compactMap(ThroughputChart.init)
    let timelines = timelineRows().map { SlotTimelineChart($0.row, of: $0.workload) }
    let chartHeight = charts.isEmpty ? 0 : ThroughputChart.height
    let height = timelines.reduce(60 + chartHeight) { $0 + $1.height } + (timelines.isEmpty ? 0 : 26)
    var document = SVGDocument(width: width, height: height)
    document.text(machine.line, x: margin + 10, y: 26, size: 12, fill: Palette.quiet)

    // One chart alone would be stretched; as many as there are share the width.
    let chartWidth = (width - 2 * margin) / Double(max(charts.count, 2))
    for (index, chart) in charts.enumerated() {
      chart.draw(on: &document, x: margin + Double(index) * chartWidth, y: 44, width: chartWidth)
    }
    var y = 44 + chartHeight + 8
    if !timelines.isEmpty {
      drawKey(on: &document, x: margin + 10, y: y + 4)
      y += 26
    }
    let duration = timelines.map(\.end).max() ?? 0
    for timeline in timelines {
      timeline.draw(on: &document, x: margin, y: y, width: width - 2 * margin, duration: duration)
      y += timeline.height
    }
    return document.rendered()
  }

  /// The largest batch of the workload with a static baseline, both ways of admission; without one, the last
  /// workload's largest batch.
  private func timelineRows() -> [(row: BatchReport, workload: WorkloadReport)] {
    let compared = workloads.last { workload in workload.rows.contains(where: \.isStatic) }
    guard let workload = compared ?? workloads.last,
      let largest = workload.rows.filter({ !$0.isStatic }).max(by: { $0.batchSize < $1.batchSize })
    else { return [] }
    let baseline = workload.rows.first { $0.isStatic && $0.batchSize == largest.batchSize }
    return ([largest] + [baseline].compactMap { $0 }).filter { !$0.timeline.isEmpty }.map { ($0, workload) }
  }

  private func drawKey(on document: inout SVGDocument, x: Double, y: Double) {
    var place = x
    let entries = [
      ("prefill", Palette.prefill, 80.0), ("decode (number of the request)", Palette.decode, 216),
      ("idle slot", Palette.idle, 90),
    ]
    for (label, colour, advance) in entries {
      document.rectangle(x: place, y: y, width: 16, height: 12, fill: colour)
      document.text(label, x: place + 22, y: y + 10, size: 11)
      place += advance
    }
  }
}
