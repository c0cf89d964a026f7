import Apus
import ApusEngine
import ApusKernels
import ApusModel
import BenchmarkSupport
import Foundation

/// What all workloads share, and how each is made.
struct BenchmarkSetup {
  /// Fixed, so that everyone measures the same requests.
  private static let seed: UInt64 = 2024
  private static let maxSequenceLength = 512
  /// What large last-level caches hold.
  private static let cacheBytes = 64 << 20
  private static let raggedPrompts = 16...256
  private static let raggedOutputs = 16...128

  /// Each prompt so often that slots are full most of the time, as in a server.
  private static let storyRequests = 4 * Prompts.stories.count

  let options: BenchmarkOptions
  let context: KernelContext
  let bandwidth: BandwidthMeter
  let machine: BenchmarkReport.Machine

  init(_ options: BenchmarkOptions) throws {
    self.options = options
    context = try KernelContext(instructionSet: options.isa, threadCount: options.threads)
    bandwidth = try BandwidthMeter(context)
    machine = BenchmarkReport.Machine(
      processor: Processor.name(), instructionSet: context.instructionSet.rawValue,
      threads: context.threadCount,
      threadsReason: options.threads == nil ? ProcessorTopology.current().reason : "as asked")
  }

  private var batchSizes: [Int] { options.batchSizes.values }

  /// The embedded model, or the one given, on prompts.
  func textWorkload(_ progress: ProgressLine) throws -> Workload {
    let location = options.model.map { ModelLocation($0) } ?? .embedded
    let model = try LanguageModel.load(
      location,
      options: LoadOptions(
        weights: options.weights, threadCount: context.threadCount, instructionSet: context.instructionSet)
    ) { share in progress.show("loading \(location): \(formattedPercent(share))") }
    let isEmbedded = options.model == nil
    let prompts = Prompts.first(options.requests ?? (isEmbedded ? Self.storyRequests : Prompts.stories.count))
    // The embedded model ends by itself; another may go on until its context is full.
    let limit = options.generatedTokens ?? (isEmbedded ? nil : 128)
    let contextLength = min(Self.maxSequenceLength, model.configuration.contextLength)
    return Workload(
      name: isEmbedded ? "embedded" : "model",
      title: isEmbedded ? "Embedded model, prompts" : "\(model.name), prompts",
      notes: notes(model.weights), weights: model.weights, kvType: options.kvType,
      requests: try prompts.map {
        GenerationRequest(promptTokens: try model.encode($0), sampling: .greedy(maxTokens: limit))
      },
      contextLength: contextLength, eosTokenIDs: model.eosTokenIDs,
      plans: RunPlan.all(batchSizes, comparesStatic: true),
      // Its runs are fractions of a second long.
      repetitions: options.repetitions ?? (isEmbedded ? 5 : 1), prompts: prompts,
      tokenizer: model.tokenizer)
  }

  private func notes(_ weights: PackedWeights) -> [String] {
    weights.bytesPerStep < Self.cacheBytes
      ? ["weights this small stay in the processor's caches: shares of memory bandwidth say little"] : []
  }

  /// Random weights in the shape of a Qwen2 model.
  func shapeWeights(_ progress: ProgressLine) throws -> PackedWeights {
    try PackedWeights(
      RandomWeights(seed: Self.seed), configuration: try options.shape.configuration(),
      type: options.weights ?? .bf16, context: context
    ) { share in progress.show("making random weights: \(formattedPercent(share))") }
  }

  func uniformWorkload(_ weights: PackedWeights) -> Workload {
    let generated = options.generatedTokens ?? 128
    let lengths = RequestLengths(promptTokens: options.promptTokens, generatedTokens: generated)
    return randomWorkload(
      "shape", "\(options.shape.name)'s shape, \(options.promptTokens) + \(generated) tokens", weights,
      Array(repeating: lengths, count: options.requests ?? 8),
      plans: RunPlan.all(batchSizes, comparesStatic: false))
  }

  func raggedWorkload(_ weights: PackedWeights) -> Workload {
    let lengths = RequestLengths.mix(
      count: options.requests ?? 12, promptTokens: Self.raggedPrompts, generatedTokens: Self.raggedOutputs,
      seed: Self.seed)
    return randomWorkload(
      "ragged", "\(options.shape.name)'s shape, mixed lengths", weights, lengths,
      plans: RunPlan.all(batchSizes, comparesStatic: true))
  }

  private func randomWorkload(
    _ name: String, _ title: String, _ weights: PackedWeights, _ lengths: [RequestLengths], plans: [RunPlan]
  ) -> Workload {
    var random = SplitMix64(seed: Self.seed)
    let vocabulary = Int32(weights.configuration.vocabularySize)
    let requests = lengths.map { length in
      GenerationRequest(
        promptTokens: (0..<length.promptTokens).map { _ in Int32.random(in: 0..<vocabulary, using: &random) },
        sampling: SamplingParameters(temperature: 0, maxTokens: length.generatedTokens, ignoreEOS: true))
    }
    return Workload(
      name: name, title: title, notes: ["random weights: speed only, the tokens mean nothing"],
      weights: weights, kvType: options.kvType,
      requests: requests, contextLength: lengths.map { $0.promptTokens + $0.generatedTokens }.max() ?? 1,
      eosTokenIDs: [], plans: plans, repetitions: options.repetitions ?? 1)
  }
}
