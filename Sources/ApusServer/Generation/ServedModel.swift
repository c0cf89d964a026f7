public import Apus
import ApusCheckpoint
import ApusEngine
import ApusModel
import ApusObservability
package import ApusTokenizer
import Dispatch

/// A model that is loaded and answers requests: text and tokens on one side, the engine on the other.
public final class ServedModel: Sendable {
  /// The name that answers carry.
  public let id: String
  /// Other names that requests may use.
  public let aliases: [String]
  public let generator: TextGenerator
  public let slots: SlotTable
  public let chatRenderer: any ChatRenderer
  public let formatCompiler: (any FormatCompiler)?
  /// The body of `/metrics`. Must not wait for anything.
  public let metricsText: @Sendable () -> String
  /// Names what an answer's bits depend on beside the request.
  public let fingerprint: String
  /// Limits of a request's time, from its arrival.
  public let queueTimeout: Duration?
  public let requestTimeout: Duration?
  /// Where long texts are turned into tokens, one at a time: small requests must not wait for them.
  private let queue = DispatchQueue(label: "apus.encode")

  /// - Parameters:
  ///   - slots: observes the generator's engine.
  ///   - metricsText: nil for what the engine counts.
  public init(
    id: String, aliases: [String] = [], generator: TextGenerator, slots: SlotTable,
    chatRenderer: any ChatRenderer = PlainChatRenderer(), formatCompiler: (any FormatCompiler)? = nil,
    metricsText: (@Sendable () -> String)? = nil, fingerprint: String, queueTimeout: Duration? = nil,
    requestTimeout: Duration? = nil
  ) {
    self.id = id
    self.aliases = aliases
    self.generator = generator
    self.slots = slots
    self.chatRenderer = chatRenderer
    self.formatCompiler = formatCompiler
    let engine = generator.engine
    self.metricsText =
      metricsText ?? {
        PrometheusText.render(engine.metrics.families, labels: [MetricLabel("model_name", id)])
      }
    self.fingerprint = fingerprint
    self.queueTimeout = queueTimeout
    self.requestTimeout = requestTimeout
  }

  package var tokenizer: Tokenizer { generator.model.tokenizer }

  /// - Throws: a 404 if `name` is not this model's.
  func check(name: String?) throws(APIError) {
    guard let name, name != id, !aliases.contains(name) else { return }
    throw APIError(
      status: 404, message: "the model \(quoted(name)) does not exist, expected \(quoted(id))",
      param: "model", code: "model_not_found")
  }

  /// Texts up to so many bytes are encoded where they are.
  private static let shortTextByteCount = 16_384

  /// The tokens of a text.
  func encode(_ text: String, addSpecialTokens: Bool) async throws(APIError) -> [Int32] {
    let tokenizer = tokenizer
    let result: Result<[Int32], TokenizerError> =
      if text.utf8.count <= Self.shortTextByteCount {
        Self.encode(text, tokenizer, addSpecialTokens)
      } else {
        await withCheckedContinuation { continuation in
          queue.async { continuation.resume(returning: Self.encode(text, tokenizer, addSpecialTokens)) }
        }
      }
    do { return try result.get() } catch { throw .invalid("prompt", "\(error)") }
  }

  private static func encode(
    _ text: String, _ tokenizer: Tokenizer, _ addSpecialTokens: Bool
  ) -> Result<[Int32], TokenizerError> {
    do {
      return .success(try tokenizer.encode(text, addSpecialTokens: addSpecialTokens))
    } catch { return .failure(error) }
  }

  func prompts(_ request: CompletionRequest) async throws(APIError) -> [EncodedPrompt] {
    var prompts: [EncodedPrompt] = []
    for prompt in request.prompts {
      switch prompt {
      case .tokens(let tokens): prompts.append(EncodedPrompt(tokens: tokens, text: nil))
      case .text(let text):
        let tokens = try await encode(text, addSpecialTokens: request.addsSpecialTokens)
        prompts.append(EncodedPrompt(tokens: tokens, text: text))
      }
    }
    return prompts
  }

  func prompt(
    _ conversation: ChatConversation, addsSpecialTokens: Bool? = nil
  ) async throws(APIError) -> EncodedPrompt {
    guard conversation.tools.isEmpty || chatRenderer.toolCallFormat != nil else {
      throw .invalid(
        "tools", "the model's chat template knows no tools, expected none", code: "unsupported_field")
    }
    let text: String
    do { text = try chatRenderer.prompt(of: conversation) } catch {
      throw .invalid("messages", "\(error)")
    }
    let addsSpecialTokens = addsSpecialTokens ?? chatRenderer.addsSpecialTokens
    return EncodedPrompt(tokens: try await encode(text, addSpecialTokens: addsSpecialTokens), text: text)
  }

  /// Queues a request's texts, all or none; none if the client goes before. The choices of a prompt follow each other.
  func start(_ job: GenerationJob, for connection: ClientConnection) async throws(APIError) -> [Choice] {
    let count = job.fields.choiceCount
    let queueLengthMax = generator.engine.configuration.queueLengthMax
    guard job.prompts.count * count <= queueLengthMax else {
      throw .invalid(
        "n", "n is \(count) for \(job.prompts.count) prompts, expected at most \(queueLengthMax) texts in all"
      )
    }
    let constraint = try await constraint(job.fields.outputFormat)
    var requests: [GenerationRequest] = []
    var texts: [ChoiceText] = []
    for (index, prompt) in job.prompts.enumerated() {
      let (request, text) = try self.request(prompt, job, constraint)
      do {
        try request.validate(
          vocabularySize: generator.model.configuration.vocabularySize, contextLength: generator.contextLength
        )
      } catch {
        var error = APIError(error, retryAfter: 1)
        if job.prompts.count > 1 { error.message = "prompt \(index): \(error.message)" }
        throw error
      }
      requests.append(request)
      texts.append(text)
    }
    let streams = try await submit(requests, count: count, for: connection)
    return streams.enumerated().map { index, stream in
      Choice(index: index, isFirst: index % count == 0, stream: stream, text: texts[index / count])
    }
  }

  /// Waits for the running step, which may take a second.
  private func submit(
    _ requests: [GenerationRequest], count: Int, for connection: ClientConnection
  ) async throws(APIError) -> [TokenStream] {
    let engine = generator.engine
    let submitted = await connection.whileOpen { () -> Result<[TokenStream], AdmissionError> in
      do throws(AdmissionError) {
        if count == 1 { return .success(try await engine.generate(requests)) }
        var streams: [TokenStream] = []
        for request in requests { streams += try await engine.generate(request, count: count) }
        return .success(streams)
      } catch { return .failure(error) }
    }
    do { return try submitted.get() } catch {
      throw APIError(error, retryAfter: RetryEstimate.seconds(engine.metrics))
    }
  }

  private func constraint(_ format: RequestedFormat?) async throws(APIError) -> (any TokenConstraint)? {
    guard let format else { return nil }
    guard let formatCompiler else {
      throw .invalid(
        "response_format", "structured output is not supported by this server, expected text",
        code: "unsupported_field")
    }
    let result: Result<any TokenConstraint, any Error> = await withCheckedContinuation { continuation in
      queue.async {
        continuation.resume(returning: Result { try formatCompiler.constraint(for: format) })
      }
    }
    do { return try result.get() } catch { throw .invalid("response_format", "\(error)") }
  }

  private func request(
    _ prompt: EncodedPrompt, _ job: GenerationJob, _ constraint: (any TokenConstraint)?
  ) throws(APIError) -> (GenerationRequest, ChoiceText) {
    let fields = job.fields
    var request = GenerationRequest(
      promptTokens: prompt.tokens, sampling: fields.sampling, priority: fields.priority, tenant: job.tenant,
      queueTimeout: queueTimeout, timeout: requestTimeout, constraint: constraint)
    let text: GeneratedText
    if fields.stop.isEmpty {
      text = GeneratedText(
        tokenizer, continuing: prompt.tokens, skipSpecialTokens: fields.skipsSpecialTokens)
    } else {
      do {
        let stop = try StopStrings(
          fields.stop, tokenizer: tokenizer, continuing: prompt.tokens, minTokens: fields.sampling.minTokens,
          skipSpecialTokens: fields.skipsSpecialTokens)
        request.stopCondition = stop
        text = GeneratedText(endingAt: stop, includeStopString: fields.includesStopString)
      } catch { throw .invalid("stop", "\(error)") }
    }
    var echo: EchoedPrompt?
    if job.echoes {
      let promptText = prompt.text ?? (try? tokenizer.decode(prompt.tokens, skipSpecialTokens: true)) ?? ""
      echo = EchoedPrompt(text: promptText, tokens: prompt.tokens, isAll: job.scoresOnly)
    }
    return (
      request,
      ChoiceText(
        text, logprobsOf: fields.sampling.logprobs == nil ? nil : tokenizer,
        skipsSpecialTokens: fields.skipsSpecialTokens, echo: echo)
    )
  }
}
