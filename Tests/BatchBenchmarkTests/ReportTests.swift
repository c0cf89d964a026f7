import ApusObservability
import BenchmarkSupport
import Foundation
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite struct ReportTests {
  static func figures(decode: Double, seconds: Double, bandwidth: Double = 40e9) -> RunFigures {
    var figures = RunFigures()
    figures.seconds = seconds
    figures.generatedTokens = 1024
    figures.promptTokens = 1024
    figures.prefillTokensPerSecond = 234.5
    figures.decodeTokensPerSecond = decode
    figures.decodeBytesPerSecond = decode / 8 * 1e9
    figures.slotUtilization = 0.987
    figures.meanLatency = seconds / 2
    figures.meanTimeToFirstToken = 123.4
    figures.interTokenLatencyP50 = 0.0512
    figures.interTokenLatencyP99 = 1.2345
    figures.memoryBandwidth = bandwidth
    return figures
  }

  static func batch(_ size: Int, decode: [Double], seconds: Double, isStatic: Bool = false) -> BatchReport {
    let timeline = (0..<12).map { (index: Int) -> SlotInterval in
      let start = Double(index / size) * 5
      return SlotInterval(
        request: index + 1, slot: index % size, admitted: start, firstToken: start + 1, finished: start + 4)
    }
    return BatchReport(
      batchSize: size, isStatic: isStatic, runs: decode.map { figures(decode: $0, seconds: seconds) },
      timeline: timeline)
  }

  static func report(_ rows: [BatchReport]) -> BenchmarkReport {
    BenchmarkReport(
      machine: .init(
        processor: "A <processor> & \"friends\"", instructionSet: "avx2", threads: 2,
        threadsReason: "2 physical cores"),
      workloads: [
        WorkloadReport(
          name: "shape", title: "Qwen2-0.5B's shape, 128 + 128 tokens", notes: ["random weights: speed only"],
          weightType: "bf16", kvType: "f32", weightBytes: 988_000_000, weightBytesPerStep: 988_000_000,
          requestCount: 8,
          promptTokens: 1024, bandwidth: BandwidthReading(byteCount: 512 << 20, passes: [0.013]), rows: rows)
      ])
  }

  static let rows = [
    batch(1, decode: [20], seconds: 1051.2), batch(2, decode: [38], seconds: 551.2),
    batch(8, decode: [140], seconds: 160), batch(8, decode: [139], seconds: 200, isStatic: true),
  ]

  @Test func speedUpsAreAgainstTheSmallestContinuousBatch() {
    let workload = Self.report(Self.rows.reversed()).workloads[0]
    #expect(workload.baseline?.batchSize == 1)
    #expect(workload.decodeSpeedUp(Self.rows[2]) == 7)
    #expect(!(abs((workload.speedUp(Self.rows[2]) ?? .nan) - 1051.2 / 160) > 1e-12))
    #expect(workload.idealDecodeRate(batchSize: 8) == 160)
    let withoutOne = Self.report(Array(Self.rows[1...])).workloads[0]
    #expect(withoutOne.idealDecodeRate(batchSize: 8) == 152)
    #expect(withoutOne.headlines().contains { $0.contains("against batch size 2") })
  }

  @Test func figuresAreMediansOfTheRepetitions() {
    let row = Self.batch(4, decode: [70, 90, 71], seconds: 3)
    #expect(row.decodeTokensPerSecond?.median == 71)
    #expect(row.decodeTokensPerSecond?.maximum == 90)
    #expect(Self.report([row]).workloads[0].spreadTable() != nil)
    #expect(Self.report(Self.rows).workloads[0].spreadTable() == nil)
  }

  @Test func whatBandwidthAllowsIsTheRateOverItsShare() {
    let row = Self.rows[2]
    let share = 140.0 / 8 * 1e9 / 40e9
    #expect(!(abs((row.bandwidthShare?.median ?? .nan) - share) > 1e-12))
    #expect(!(abs((row.bandwidthIdealDecodeRate ?? .nan) - 140 / share) > 1e-9))
  }

  @Test func tablesFitAHundredColumns() {
    let repeated = [1, 2, 4, 8].map { Self.batch($0, decode: [1020.5, 1021, 1220], seconds: 1200.1) }
    for report in [Self.report(Self.rows), Self.report(repeated)] {
      let workload = report.workloads[0]
      for table in [workload.throughputTable(), workload.latencyTable(), workload.spreadTable()] {
        let lines = table?.text().split(separator: "\n") ?? []
        #expect(lines.allSatisfy { $0.count <= 100 })
      }
    }
  }

  @Test func everyLineOfCommaSeparatedValuesHasAsManyFields() {
    let lines = Self.report(Self.rows).commaSeparatedValues().split(separator: "\n")
    #expect(lines.count == 5)
    #expect(Set(lines.map { $0.split(separator: ",", omittingEmptySubsequences: false).count }).count == 1)
    #expect(lines[4].contains(",static,"))
  }

  @Test func jsonHoldsTheReportAndItsSummary() throws {
    let data = Data(Self.report(Self.rows).json().utf8)
    let object = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    let workloads = try #require(object["workloads"] as? [[String: Any]])
    let summary = try #require(workloads[0]["summary"] as? [[String: Any]])
    #expect(summary.count == 4)
    #expect(summary[2]["decode_speed_up"] as? Double == 7)
    #expect(summary[3]["admission"] as? String == "static")
    #expect(workloads[0]["report"] is [String: Any])
  }

  @Test func markdownHasATableForEachView() {
    let text = Self.report(Self.rows).markdown()
    #expect(text.contains("## Qwen2-0.5B's shape"))
    #expect(text.split(separator: "\n").filter { $0.hasPrefix("|---") }.count == 2)
    #expect(text.contains("- random weights: speed only"))
  }

  @Test func tokensThatDifferAreSaidLoudly() {
    var workload = Self.report(Self.rows).workloads[0]
    #expect(workload.verdict.contains("same tokens"))
    workload.tokensIdentical = false
    #expect(workload.verdict.contains("DIFFER"))
  }
}

@Suite struct DrawingTests {
  /// Names of elements, texts between them, and whether the file is well-formed XML.
  private final class Reader: NSObject, XMLParserDelegate {
    var elements: [String] = []
    var text = ""
    var coordinates: [Double] = []

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
      attributes: [String: String]
    ) {
      elements.append(name)
      for key in ["x", "y", "x1", "x2", "y1", "y2", "cx", "cy"] {
        if let value = attributes[key] { coordinates.append(Double(value) ?? .nan) }
      }
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }
  }

  private func read(_ svg: String) -> Reader? {
    let reader = Reader()
    let parser = XMLParser(data: Data(svg.utf8))
    parser.delegate = reader
    return parser.parse() ? reader : nil
  }

  @Test func drawingIsWellFormedAndWithinItsFrame() throws {
    let reader = try #require(read(ReportTests.report(ReportTests.rows).drawing()))
    #expect(reader.elements.first == "svg")
    #expect(reader.text.contains("A <processor> & \"friends\""))
    #expect(reader.text.contains("continuous batching") && reader.text.contains("static batches"))
    #expect(!reader.coordinates.isEmpty)
    #expect(reader.coordinates.allSatisfy { $0 >= 0 && $0 <= 2000 })
  }

  @Test func everyStayInASlotIsDrawn() throws {
    let reader = try #require(read(ReportTests.report([ReportTests.rows[2]]).drawing()))
    // Prefill and decode of 12 requests, each with a title that a browser shows.
    #expect(reader.elements.count { $0 == "title" } == 24)
  }

  @Test func reportsWithoutRunsAreDrawnToo() throws {
    let machine = ReportTests.report([]).machine
    #expect(read(BenchmarkReport(machine: machine).drawing()) != nil)
    #expect(read(ReportTests.report([]).drawing()) != nil)
  }

  @Test func controlCharactersAndOddNumbersDoNotBreakTheFile() throws {
    var document = SVGDocument(width: 100, height: 100)
    document.text("bell \u{7} and <tag>\u{0}", x: .nan, y: .infinity)
    document.rectangle(x: 1e30, y: -4, width: -5, height: 2, fill: "\"red\"", title: "a & b")
    let reader = try #require(read(document.rendered()))
    #expect(reader.text.contains("<tag>"))
  }
}
