import ApusEngine
import ApusKernels
import ApusModel
import ApusTokenizer
import BenchmarkSupport

/// Requests for one model.
struct Workload {
  var name: String
  var title: String
  var notes: [String]
  var weights: PackedWeights
  var kvType: KVType
  var requests: [GenerationRequest]
  /// Positions a slot is given.
  var contextLength: Int
  var eosTokenIDs: [Int32]
  var plans: [RunPlan]
  /// How often every plan is run.
  var repetitions: Int
  /// Shown with what the model says to it, where it says anything.
  var prompts: [String] = []
  var tokenizer: Tokenizer?

  static let prefillStep = 128
  /// Prompt tokens of the requests that warm an engine up.
  static let warmUpTokens = 8

  var promptTokenCount: Int { requests.reduce(0) { $0 + $1.promptTokens.count } }

  /// What one decode step reads.
  var traffic: DecodeTraffic {
    let configuration = weights.configuration
    let cache = KVLayout(
      kvHeadCount: configuration.kvHeadCount, headSize: configuration.headSize, type: kvType)
    return DecodeTraffic(
      weightBytes: weights.bytesPerStep, bytesPerPosition: cache.positionByteCount,
      slidingWindows: configuration.slidingWindows)
  }
}

/// One way to run a workload.
struct RunPlan {
  var batchSize: Int
  var admission = AdmissionMode.continuous

  /// All sizes, and a static batch of the largest where there is something to wait for.
  static func all(_ sizes: [Int], comparesStatic: Bool) -> [RunPlan] {
    let plans = sizes.map { RunPlan(batchSize: $0) }
    guard comparesStatic, let largest = sizes.max(), largest > 1 else { return plans }
    return plans + [RunPlan(batchSize: largest, admission: .static)]
  }
}
