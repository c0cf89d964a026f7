import Apus
import ApusEngine
import ApusGrammar
import ApusKernels
import ApusModel
import ApusObservability
import ApusTokenizer
import ArgumentParser
import Foundation

extension GenerationOutput: ExpressibleByArgument {}

/// `apus generate`
struct GenerateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Continues prompts, all together in one batch.",
    discussion: """
      Prompts run in the order --prompt, --ids, --prompts, and results come in that order. Sampling is \
      greedy (temperature 0) unless said otherwise. A request's tokens are the same whatever runs beside \
      it.

      A line of a prompts file is a text, or, if it begins with {, a JSON object: {"prompt": "..."} or \
      {"ids": [1, 2, 3]}, with any of max_tokens, temperature, top_k, top_p, min_p, seed, \
      stop_token_ids, ignore_eos and logprobs for that request alone. Empty lines are skipped.

      --json, --json-schema, --regex and --choice bind the text of every request, token by token. Of a schema, \
      properties come in its order; without additionalProperties no others come. What is not supported is \
      refused by name.

      --output text prints a single prompt's text as it is generated; several are printed under a line \
      each that tells which it is. json prints one object a line: index, prompt, prompt_ids, ids, text, \
      finish_reason (stop or length), error, logprobs, seed, usage and timing. A model without \
      a tokenizer runs --ids with --output ids or json; text is then null.
      """)

  @OptionGroup var model: ModelArgument

  @Option(name: [.short, .long], parsing: .unconditionalSingleValue, help: "A text to continue. Repeatable.")
  var prompt: [String] = []

  @Option(parsing: .unconditionalSingleValue, help: "Token ids to continue, as in 1,2,3. Repeatable.")
  var ids: [TokenIDList] = []

  @Option(parsing: .unconditional, help: "A file with a prompt on each line; - is standard input.")
  var prompts: String?

  @OptionGroup(title: "Sampling") var sampling: SamplingOptions
  @OptionGroup(title: "Format") var format: FormatOptions
  @OptionGroup(title: "Batching") var batch: BatchOptions
  @OptionGroup(title: "Kernels") var kernels: KernelOptions
  @OptionGroup(title: "Observation") var observation: ObservationOptions

  @Option(parsing: .unconditional, help: "What to print of each result.")
  var output = GenerationOutput.text

  func run() async throws {
    let prompts = try readPrompts()
    let files = try model.files()
    let context = try kernels.context()
    let tokenizer =
      output == .text || prompts.contains(where: \.prompt.isText)
      ? try files.tokenizer(for: output == .text ? "--output text" : "a prompt of text")
      : try files.tokenizer()
    var requests = try prompts.map { try GenerationRequest($0, tokenizer: tokenizer) }
    let model = try files.open()
    let sizes = try validate(requests, from: prompts, model.configuration)
    if let (format, place) = try format.format() {
      let constraint = try constraint(
        format, place: place, try tokenizer ?? files.tokenizer(for: place), model.configuration)
      for index in requests.indices { requests[index].constraint = constraint }
    }
    let configuration = EngineConfiguration(
      sizes, requestCount: requests.count, eosTokenIDs: model.configuration.eosTokenIDs,
      vocabularySize: model.configuration.vocabularySize)
    let observation = try RunObservation(observation) {
      header(model.identity(named: self.model.name(of: files)), context, configuration, sizes)
    }
    let weights = try kernels.load(model, context: context)
    let engine = try Engine(
      weights, context: context, kvType: kernels.kvType, sizes: sizes, configuration,
      observer: observation.observer)
    let streams = try await engine.generate(requests)
    do {
      try await GenerationPrinter(output: output, tokenizer: tokenizer).print(streams, prompts, requests)
    } catch {
      // What was seen of a run that fails is worth most.
      try observation.finish()
      throw error
    }
    try observation.finish()
  }

  private func header(
    _ identity: RecordingHeader.Model, _ context: KernelContext, _ configuration: EngineConfiguration,
    _ sizes: BatchOptions.Sizes
  ) -> RecordingHeader {
    RecordingHeader(
      version: apusVersion, model: identity, instructionSet: context.instructionSet.rawValue,
      isPrecise: context.isPrecise, weightType: kernels.weights?.rawValue, kvType: kernels.kvType.rawValue,
      threadCount: context.threadCount, slotCount: sizes.slotCount, contextLength: sizes.contextLength,
      prefillStep: sizes.prefillStep, policy: configuration.policy.name,
      prefixCaching: configuration.prefixCaching, draftTokensMax: configuration.draftTokensMax,
      eosTokenIDs: configuration.eosTokenIDs)
  }

  private func constraint(
    _ format: OutputFormat, place: String, _ tokenizer: Tokenizer, _ configuration: ModelConfiguration
  ) throws -> GrammarConstraint {
    do {
      return try ConstraintCompiler(tokenizer, configuration).constraint(for: format)
    } catch { throw CommandFailure("\(place): \(error)".asOneLine) }
  }

  /// Every prompt of the command line and the prompts file.
  private func readPrompts() throws -> [PromptRequest] {
    let defaults = sampling.parameters
    var requests: [PromptRequest] = []
    for (index, text) in prompt.enumerated() {
      requests.append(
        PromptRequest(prompt: .text(text), sampling: defaults, place: "--prompt \(index + 1)"))
    }
    for (index, list) in ids.enumerated() {
      requests.append(
        PromptRequest(prompt: .ids(list.ids), sampling: defaults, place: "--ids \(index + 1)"))
    }
    if let prompts { requests += try PromptRequest.read(path: prompts, defaults: defaults) }
    guard !requests.isEmpty else {
      let wanted = prompts == nil ? "give --prompt, --ids or --prompts" : "the prompts file is empty"
      throw CommandFailure("no prompts: \(wanted)")
    }
    return requests
  }

  /// Refuses what the engine would refuse, by where it came from, before weights are read.
  private func validate(
    _ requests: [GenerationRequest], from prompts: [PromptRequest], _ configuration: ModelConfiguration
  ) throws -> BatchOptions.Sizes {
    let sizes = try batch.sizes(for: requests, modelContextLength: configuration.contextLength)
    let limit = batch.maxSequenceLength ?? configuration.contextLength
    for (request, prompt) in zip(requests, prompts) {
      do {
        try request.validate(vocabularySize: configuration.vocabularySize, contextLength: limit)
      } catch { throw CommandFailure("\(prompt.place): \(error.commandDescription)") }
    }
    return sizes
  }
}

extension GenerationRequest {
  /// - Parameter tokenizer: nil only if the prompt is no text.
  fileprivate init(_ prompt: PromptRequest, tokenizer: Tokenizer?) throws {
    var sampling = prompt.sampling
    // A seed that survives readers of JSON that hold numbers as doubles.
    if sampling.seed == nil { sampling.seed = UInt64.random(in: 0..<1 << 53) }
    switch prompt.prompt {
    case .ids(let ids): self.init(promptTokens: ids, sampling: sampling)
    case .text(let text):
      guard let tokenizer else { throw CommandFailure("\(prompt.place): text without a tokenizer") }
      do {
        self.init(promptTokens: try tokenizer.encode(text), sampling: sampling)
      } catch { throw CommandFailure("\(prompt.place): \(error)") }
    }
  }
}

extension EngineConfiguration {
  fileprivate init(
    _ sizes: BatchOptions.Sizes, requestCount: Int, eosTokenIDs: [Int], vocabularySize: Int
  ) {
    self.init(
      prefillStep: sizes.prefillStep, queueLengthMax: requestCount,
      eosTokenIDs: eosTokenIDs.filter((0..<vocabularySize).contains).map(Int32.init))
  }
}

extension Engine {
  fileprivate init(
    _ weights: PackedWeights, context: KernelContext, kvType: KVType, sizes: BatchOptions.Sizes,
    _ configuration: EngineConfiguration, observer: (@Sendable (EngineEvent) -> Void)?
  ) throws {
    let session = try TransformerSession(
      weights, context: context, slotCount: sizes.slotCount, contextLength: sizes.contextLength,
      rowsPerStepMax: sizes.slotCount + sizes.prefillStep, kvType: kvType)
    try self.init(model: session, configuration: configuration, kernels: context, observer: observer)
  }
}
