public import ApusEngine
import Foundation

/// Requests with the times at which they come.
public struct LoadTrace: Sendable {
  public struct Arrival: Sendable {
    /// Since the trace began.
    public var time: Duration
    public var request: GenerationRequest

    public init(time: Duration, request: GenerationRequest) {
      self.time = time
      self.request = request
    }
  }

  public var arrivals: [Arrival]

  public init(_ arrivals: [Arrival]) { self.arrivals = arrivals }

  public var promptTokens: Int { arrivals.reduce(0) { $0 + $1.request.promptTokens.count } }
  public var outputTokens: Int { arrivals.reduce(0) { $0 + ($1.request.sampling.maxTokens ?? 0) } }

  /// A line for each request, as `apus bench-serve --dataset` reads them; without times if all come at once.
  public var jsonLines: String {
    let isTimed = arrivals.contains { $0.time > .zero }
    return arrivals.map { arrival in
      let time = isTimed ? #","arrival":\#(arrival.time.inSeconds)"# : ""
      let prompt = arrival.request.promptTokens.map(String.init).joined(separator: ",")
      let maxTokens = arrival.request.sampling.maxTokens ?? 1
      return #"{"prompt_token_ids":[\#(prompt)],"max_tokens":\#(maxTokens)\#(time)}"# + "\n"
    }.joined()
  }

  /// Random prompts that generate as many tokens as they are told to.
  ///
  /// - Parameters:
  ///   - rate: requests a second, exponentially distributed in time (a Poisson process); nil: all at once.
  ///   - seed: the same one gives the same trace, everywhere.
  public static func random(
    _ lengths: [RequestLengths], vocabularySize: Int, rate: Double? = nil, seed: UInt64
  ) -> LoadTrace {
    var random = SplitMix64(seed: seed)
    var time = 0.0
    return LoadTrace(
      lengths.enumerated().map { index, length in
        if let rate {
          let unit = Double(random.next() >> 11) * 0x1p-53
          time += -log(1 - unit) / rate
        }
        return Arrival(
          time: .seconds(time),
          request: GenerationRequest(
            promptTokens: (0..<length.promptTokens).map { _ in
              Int32.random(in: 0..<Int32(vocabularySize), using: &random)
            },
            sampling: SamplingParameters(temperature: 0, maxTokens: length.generatedTokens, ignoreEOS: true),
            // One in four is urgent; half of all are one tenant's, and the other half two others'.
            priority: random.next() % 4 == 0 ? 0 : 1, tenant: ["a", "a", "b", "c"][index % 4]))
      })
  }
}
