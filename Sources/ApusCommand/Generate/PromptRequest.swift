import ApusCheckpoint
import ApusEngine
import ApusServer

/// What a request begins with.
enum Prompt: Sendable, Equatable {
  case text(String)
  case ids([Int32])

  var isText: Bool { if case .text = self { true } else { false } }
}

/// One prompt with its sampling parameters, before any model has seen it.
struct PromptRequest: Sendable, Equatable {
  var prompt: Prompt
  var sampling: SamplingParameters
  /// Where it came from, as errors name it: "--prompt 2", "prompts.jsonl, line 3".
  var place: String
}

extension PromptRequest {
  private static let fields = [
    "prompt", "ids", "max_tokens", "temperature", "top_k", "top_p", "min_p", "seed", "stop_token_ids",
    "ignore_eos", "logprobs",
  ]

  /// One line of a prompts file: a JSON object if it begins with "{", else a text.
  ///
  /// - Parameter defaults: sampling parameters for what the line does not say.
  init(line: String, place: String, defaults: SamplingParameters) throws {
    guard line.utf8.first == UInt8(ascii: "{") else {
      self.init(prompt: .text(line), sampling: defaults, place: place)
      return
    }
    let object = try JSONObject.parse(line: line, place: place)
    try object.refuseFields(otherThan: Self.fields)
    let prompt: Prompt
    switch (try object.stringIfPresent("prompt"), try object.tokenIDsIfPresent("ids")) {
    case (let text?, nil): prompt = .text(text)
    case (nil, let ids?): prompt = .ids(ids)
    case (nil, nil): throw CommandFailure("\(place): neither prompt nor ids; expected one of them")
    case (_?, _?): throw CommandFailure("\(place): both prompt and ids; expected one of them")
    }
    self.init(prompt: prompt, sampling: try object.sampling(defaults: defaults), place: place)
  }

  /// The lines of a prompts file; empty ones are skipped.
  static func read(path: String, defaults: SamplingParameters) throws -> [PromptRequest] {
    var reader = try LineReader(path: path)
    var requests: [PromptRequest] = []
    while let line = try reader.next() {
      if line.isEmpty { continue }
      guard requests.count < countMax else {
        throw CommandFailure("\(reader.place): more than \(countMax) prompts")
      }
      requests.append(try PromptRequest(line: line, place: reader.place, defaults: defaults))
    }
    return requests
  }

  /// Prompts of one run: all are held in memory, results too.
  static let countMax = 1 << 20
}

extension JSONObject {
  fileprivate func sampling(defaults: SamplingParameters) throws -> SamplingParameters {
    var sampling = defaults
    if let value = try integerIfPresent("max_tokens") { sampling.maxTokens = value }
    if let value = try numberIfPresent("temperature") { sampling.temperature = Float(value) }
    if let value = try integerIfPresent("top_k") { sampling.topK = value }
    if let value = try numberIfPresent("top_p") { sampling.topP = Float(value) }
    if let value = try numberIfPresent("min_p") { sampling.minP = Float(value) }
    if let value = try integerIfPresent("seed", in: 0...Int.max) { sampling.seed = UInt64(value) }
    if let value = try tokenIDsIfPresent("stop_token_ids") { sampling.stopTokenIDs = value }
    if let value = try booleanIfPresent("ignore_eos") { sampling.ignoreEOS = value }
    if let value = try integerIfPresent("logprobs") { sampling.logprobs = value }
    return sampling
  }
}

extension AdmissionError {
  /// The error in the words of the command line: fields as prompts files spell them.
  var commandDescription: String {
    switch self {
    case .emptyPrompt: "the prompt has no tokens; expected at least one"
    case .promptTooLong(let tokens, let contextLength):
      "the prompt has \(tokens) tokens; expected at most \(contextLength)"
    case .tokenOutsideVocabulary(let field, let index, let token, let vocabularySize):
      "\(field == "promptTokens" ? "ids" : field.asSnakeCase)[\(index)] is \(token); "
        + "expected a token id in 0..<\(vocabularySize)"
    case .invalidParameter(let field, let value, let expected):
      "\(field.asSnakeCase) is \(value); expected \(expected)"
    case .needsTooManyPages, .queueFull, .queueTokensFull, .unknownRequest, .cancelled, .draining, .shutDown:
      description
    }
  }
}
