import ApusEngine
import ApusKernels
import ApusModel
import ApusObservability
import ApusTokenizer
import BenchmarkSupport
import Foundation
import Synchronization

/// Runs a workload at every batch size and gathers what was measured.
struct WorkloadRunner {
  let context: KernelContext
  let bandwidth: BandwidthMeter
  let console: Console

  /// What one run gave.
  private struct Run {
    var figures: RunFigures
    var timeline: [SlotInterval]
    var results: [GenerationResult]
  }

  func measure(_ workload: Workload) async throws -> WorkloadReport {
    console.say("\n\(workload.title)")

    var runs: [[Run]] = Array(repeating: [], count: workload.plans.count)
    var readings = [bandwidth.measure()]
    for repetition in 0..<workload.repetitions {
      for (index, plan) in workload.plans.enumerated() {
        var run = try await self.run(workload, plan)
        readings.append(bandwidth.measure())
        run.figures.memoryBandwidth = readings.suffix(2).map(\.median).mean
        runs[index].append(run)
        if repetition + 1 == workload.repetitions { announce(plan, runs[index].map(\.figures)) }
      }
    }
    let expected = runs.first?.first?.results.map(\.tokenIDs)
    let report = WorkloadReport(
      name: workload.name, title: workload.title, notes: workload.notes,
      weightType: workload.weights.typeNames, kvType: workload.kvType.rawValue,
      weightBytes: workload.weights.byteCount,
      weightBytesPerStep: workload.weights.bytesPerStep, requestCount: workload.requests.count,
      promptTokens: workload.promptTokenCount, bandwidth: BandwidthReading(readings),
      tokensIdentical: runs.joined().allSatisfy { $0.results.map(\.tokenIDs) == expected },
      rows: zip(workload.plans, runs).map { plan, runs in
        BatchReport(
          batchSize: plan.batchSize, isStatic: plan.admission == .static, runs: runs.map(\.figures),
          timeline: runs.first?.timeline ?? [])
      })
    if let first = runs.first?.first { try showTexts(workload, first.results) }
    show(report)
    return report
  }

  private func announce(_ plan: RunPlan, _ figures: [RunFigures]) {
    let seconds = figures.map(\.seconds).median ?? 0
    let many = figures.count > 1 ? " (median of \(figures.count))" : ""
    console.say("\(plan.title): \(formatted(seconds))s\(many)")
  }

  /// Fills every slot for two tokens, so that the run does not pay for memory and threads that a server has at hand.
  private func warmUp(_ engine: Engine, _ workload: Workload, _ plan: RunPlan) async throws {
    let requests = (0..<plan.batchSize).map { index in
      var request = workload.requests[index % workload.requests.count]
      request.promptTokens = Array(request.promptTokens.prefix(Workload.warmUpTokens))
      request.sampling = SamplingParameters(temperature: 0, maxTokens: 2, ignoreEOS: true)
      return request
    }
    for stream in try await engine.generate(requests) { _ = await stream.collect() }
  }

  private func run(_ workload: Workload, _ plan: RunPlan) async throws -> Run {
    let session = try TransformerSession(
      workload.weights, context: context, slotCount: plan.batchSize, contextLength: workload.contextLength,
      rowsPerStepMax: plan.batchSize + Workload.prefillStep, kvType: workload.kvType)
    let requestCount = workload.requests.count + plan.batchSize
    let log = EventLog(capacity: min(1 << 20, 3 * requestCount * workload.contextLength))
    let ticker = Ticker(plan, requestCount: workload.requests.count, progress: console.progress)
    let engine = try Engine(
      model: session,
      configuration: EngineConfiguration(
        prefillStep: Workload.prefillStep, queueLengthMax: max(plan.batchSize, workload.requests.count),
        // What is measured is batching: every prompt is computed, and every token takes its row.
        admission: plan.admission, prefixCaching: false, draftTokensMax: 0, eosTokenIDs: workload.eosTokenIDs),
      kernels: context,
      observer: { event in
        log.record(event)
        ticker.record(event)
      })
    try await warmUp(engine, workload, plan)
    let before = engine.metrics
    let streams = try await engine.generate(workload.requests)
    var results: [GenerationResult] = []
    for (index, stream) in streams.enumerated() {
      let result = await stream.collect()
      switch result.finishReason {
      case .stop, .length: results.append(result)
      default: throw RequestFailure(request: index, reason: result.finishReason)
      }
    }
    let events = streams.first.map { log.events(from: $0.id) } ?? []
    return Run(
      figures: RunFigures(
        events, batchSize: min(plan.batchSize, workload.requests.count), traffic: workload.traffic,
        slotUtilization: engine.metrics.slotUtilization(since: before)),
      timeline: SlotInterval.all(in: events), results: results)
  }

  /// The beginning of what the model says to the first prompts.
  private func showTexts(_ workload: Workload, _ results: [GenerationResult]) throws {
    guard let tokenizer = workload.tokenizer, console.isText else { return }
    for (prompt, result) in zip(workload.prompts, results).prefix(3) {
      let text = try tokenizer.decode(result.tokenIDs, skipSpecialTokens: true)
      let shown = excerpt(text.trimmingCharacters(in: .whitespacesAndNewlines), length: 480)
      console.say("\n> \(prompt)\n" + wrapped(shown, width: 100, indent: "  "))
    }
  }

  private func show(_ report: WorkloadReport) {
    var parts = [report.headlines().map { wrapped($0, width: 100) }.joined(separator: "\n")]
    parts += [report.throughputTable(), report.latencyTable()].map { $0.text() }
    if let spread = report.spreadTable() {
      parts.append("Least ... most of the repetitions\n" + spread.text())
    }
    parts.append(wrapped(report.verdict, width: 100))
    console.say("\n" + parts.joined(separator: "\n\n"))
  }
}

extension RunPlan {
  var title: String { "Batch size \(batchSize)" + (admission == .static ? ", static" : "") }
}

/// Keeps the progress line going while an engine runs.
private final class Ticker: Sendable {
  private struct Counts {
    var tokens = 0
    var finished = 0
  }

  private let counts = Mutex(Counts())
  private let title: String
  private let requestCount: Int
  private let progress: ProgressLine

  init(_ plan: RunPlan, requestCount: Int, progress: ProgressLine) {
    title = plan.title
    self.requestCount = requestCount
    self.progress = progress
  }

  func record(_ event: EngineEvent) {
    let counts = counts.withLock { counts in
      switch event {
      case .token: counts.tokens += 1
      case .finished: counts.finished += 1
      case .submitted, .admitted, .reused, .preempted, .step: break
      }
      return counts
    }
    guard case .step = event else { return }
    progress.show("\(title): \(counts.finished) of \(requestCount) requests, \(counts.tokens) tokens")
  }
}
