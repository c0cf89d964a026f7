public import ApusEngine
import ApusModel

/// What one prompt gave.
public struct Completion: Sendable, Equatable {
  public var text: String
  public var promptTokenIDs: [Int32]
  public var tokens: [GeneratedToken]
  public var finishReason: FinishReason
  public var usage: Usage

  /// Ids of the generated tokens, a stop token included.
  public var tokenIDs: [Int32] { tokens.map(\.id) }
}

/// How far a batch has come.
public struct BatchProgress: Sendable {
  /// Prompts that are done.
  public var finishedCount: Int
  public var totalCount: Int
  /// The prompt that was done just now, by its index.
  public var index: Int
  public var completion: Completion
  public var metrics: EngineMetrics
}

extension LanguageModel {
  /// Continues all prompts, `batchSize` at a time by continuous batching, and returns what they gave in their
  /// order.
  ///
  /// - Parameters:
  ///   - maxSequenceLength: tokens of one prompt and its continuation together, at most.
  ///   - batchSize: sequences decoded together.
  ///   - prefillStep: prompt rows one step runs at most.
  ///   - sampling: how tokens are drawn.
  ///   - progress: called after each prompt that is done, in the order they end.
  /// - Throws: `LanguageModelError` with the index of the prompt that is refused (then none runs) or fails.
  public func batchGenerate(
    prompts: [String], maxSequenceLength: Int = 512, batchSize: Int = 5, prefillStep: Int = 128,
    sampling: SamplingParameters = .greedy(), progress: (@Sendable (BatchProgress) -> Void)? = nil
  ) async throws(LanguageModelError) -> [Completion] {
    guard !prompts.isEmpty else { return [] }
    let generator = try TextGenerator(
      self,
      options: GeneratorOptions(
        batchSize: batchSize, maxSequenceLength: maxSequenceLength, prefillStep: prefillStep,
        queueLengthMax: prompts.count))
    var requests: [GenerationRequest] = []
    for (index, prompt) in prompts.enumerated() {
      do {
        requests.append(GenerationRequest(promptTokens: try encode(prompt), sampling: sampling))
      } catch { throw .encoding(index: index, error) }
    }
    return try await generator.run(requests, progress: progress)
  }
}

extension TextGenerator {
  /// Runs requests together and returns what they gave, in their order.
  /// - Throws: `LanguageModelError` with the index of the request that is refused (then none runs) or fails.
  public func run(
    _ requests: [GenerationRequest], progress: (@Sendable (BatchProgress) -> Void)? = nil
  ) async throws(LanguageModelError) -> [Completion] {
    let streams = try await submit(requests)
    var completions: [Completion?] = Array(repeating: nil, count: requests.count)
    let model = self.model
    let engine = self.engine
    await withTaskGroup(of: (Int, Completion).self) { group in
      for (index, stream) in streams.enumerated() {
        let prompt = requests[index].promptTokens
        group.addTask { (index, await model.completion(of: stream, prompt: prompt)) }
      }
      var finished = 0
      for await (index, completion) in group {
        finished += 1
        completions[index] = completion
        progress?(
          BatchProgress(
            finishedCount: finished, totalCount: requests.count, index: index, completion: completion,
            metrics: engine.metrics))
      }
    }
    for (index, completion) in completions.enumerated() {
      switch completion?.finishReason {
      case .failed(let error): throw .generation(index: index, error)
      case .shutdown: throw .shutDown(index: index)
      default: break
      }
    }
    return completions.compactMap { $0 }
  }

  private func validate(_ request: GenerationRequest) throws(AdmissionError) {
    try request.validate(
      vocabularySize: model.configuration.vocabularySize, contextLength: contextLength)
  }

  private func submit(_ requests: [GenerationRequest]) async throws(LanguageModelError) -> [TokenStream] {
    do {
      return try await engine.generate(requests)
    } catch {
      // A full queue is the only refusal that is not the request's own: the one that found no room is named.
      let index = requests.firstIndex { (try? validate($0)) == nil }
      throw .prompt(index: index ?? engine.configuration.queueLengthMax, error)
    }
  }
}

extension LanguageModel {
  fileprivate func completion(of stream: TokenStream, prompt: [Int32]) async -> Completion {
    let result = await stream.collect()
    var text = GeneratedText(tokenizer, continuing: prompt)
    return Completion(
      text: text.append(result), promptTokenIDs: prompt, tokens: result.tokens,
      finishReason: result.finishReason, usage: result.usage)
  }
}
