public import ApusEngine
public import ApusGrammar
import ApusModel

/// How many sequences run together, how long they may be, and how prompts are cut.
public struct GeneratorOptions: Sendable, Equatable {
  /// Sequences decoded together.
  public var batchSize: Int
  /// Prompt and generated tokens of one sequence; nil for the model's own context.
  public var maxSequenceLength: Int?
  /// Prompt rows one step runs at most, over all sequences.
  public var prefillStep: Int
  /// Prompts that may wait for a slot.
  public var queueLengthMax: Int
  public var admission: AdmissionMode

  public init(
    batchSize: Int = 8, maxSequenceLength: Int? = nil, prefillStep: Int = 128, queueLengthMax: Int = 1024,
    admission: AdmissionMode = .continuous
  ) {
    self.batchSize = batchSize
    self.maxSequenceLength = maxSequenceLength
    self.prefillStep = prefillStep
    self.queueLengthMax = queueLengthMax
    self.admission = admission
  }
}

/// An engine over a model, and text on both sides of it. Calls from anywhere are batched together.
public final class TextGenerator: Sendable {
  public let model: LanguageModel
  public let engine: Engine
  /// Tokens one sequence may hold, prompt and continuation together.
  public let contextLength: Int
  /// Bytes of the KV cache, backed by the system as they are first written.
  public let cacheByteCount: Int

  /// - Parameter observer: is told what the engine does, on its thread.
  public convenience init(
    _ model: LanguageModel, options: GeneratorOptions = GeneratorOptions(),
    observer: (@Sendable (EngineEvent) -> Void)? = nil
  ) throws(LanguageModelError) {
    try self.init(
      model, batchSize: options.batchSize, maxSequenceLength: options.maxSequenceLength,
      configuration: EngineConfiguration(
        prefillStep: options.prefillStep, queueLengthMax: options.queueLengthMax,
        admission: options.admission, eosTokenIDs: model.eosTokenIDs),
      observer: observer)
  }

  /// A generator with all that an engine can be told.
  /// - Parameters:
  ///   - batchSize: sequences decoded together.
  ///   - maxSequenceLength: prompt and generated tokens of one sequence; nil, or more than it, for the
  ///     model's own context.
  ///   - pageCount: KV pages that all sequences share; nil for as many as full ones need. More keep the prompts
  ///     of those who have left, for others that begin alike.
  ///   - observer: is told what the engine does, on its thread.
  public init(
    _ model: LanguageModel, batchSize: Int, maxSequenceLength: Int?, pageCount: Int? = nil,
    configuration: EngineConfiguration, observer: (@Sendable (EngineEvent) -> Void)? = nil
  ) throws(LanguageModelError) {
    self.model = model
    let context = model.configuration.contextLength
    let session: TransformerSession
    do {
      session = try TransformerSession(
        model.weights, context: model.context, slotCount: batchSize,
        contextLength: maxSequenceLength.map { min($0, context) },
        rowsPerStepMax: max(0, batchSize) + max(0, configuration.prefillStep), kvType: model.kvType,
        pageCount: pageCount)
    } catch { throw .model(error) }
    contextLength = session.contextLength
    cacheByteCount = session.cacheByteCount
    do {
      engine = try Engine(
        model: session, configuration: configuration, kernels: model.context, observer: observer)
    } catch { throw .engine(error) }
  }

  /// Continues `prompt`; text arrives as it is generated. Dropping the stream ends the request.
  /// - Parameter format: what the text must be; nil: any text.
  public func generate(
    _ prompt: String, sampling: SamplingParameters = SamplingParameters(), format: OutputFormat? = nil
  ) async throws(LanguageModelError) -> TextStream {
    let tokens: [Int32]
    do { tokens = try model.encode(prompt) } catch { throw .encoding(index: 0, error) }
    var request = GenerationRequest(promptTokens: tokens, sampling: sampling)
    if let format {
      do { request.constraint = try model.constraints.constraint(for: format) } catch {
        throw .constraint(error)
      }
    }
    do {
      let stream = try await engine.generate(request)
      return TextStream(stream, text: GeneratedText(model.tokenizer, continuing: tokens))
    } catch { throw .prompt(index: 0, error) }
  }
}

extension LanguageModel {
  /// Continues one prompt on an engine of its own. For several at a time, make a `TextGenerator`.
  public func generate(
    _ prompt: String, sampling: SamplingParameters = SamplingParameters(), format: OutputFormat? = nil,
    maxSequenceLength: Int? = nil
  ) async throws(LanguageModelError) -> TextStream {
    let generator = try TextGenerator(
      self, options: GeneratorOptions(batchSize: 1, maxSequenceLength: maxSequenceLength))
    var stream = try await generator.generate(prompt, sampling: sampling, format: format)
    stream.generator = generator
    return stream
  }
}
