import ApusCheckpoint
import ApusEngine

/// `POST /v1/completions`, decoded and checked as far as it can be without the model.
package struct CompletionRequest: Sendable {
  package enum Prompt: Sendable, Equatable {
    case text(String)
    case tokens([Int32])
  }

  package var common: GenerationFields
  package var prompts: [Prompt]
  /// Each text begins with its prompt.
  package var echoes: Bool
  /// Nothing is generated: the prompt is echoed, and scored if `logprobs` is set.
  package var scoresOnly: Bool
  package var addsSpecialTokens: Bool

  /// Prompts of one request, at most.
  package static let promptCountMax = 128
  /// OpenAI's default.
  static let maxTokensDefault = 16

  static let names: Set<String> = GenerationFields.names.union(GenerationFields.harmless)
    .union(GenerationFields.neutral.keys)
    .union([
      "prompt", "max_tokens", "echo", "logprobs", "prompt_logprobs", "best_of", "add_special_tokens",
    ])

  package init(_ fields: RequestFields) throws(APIError) {
    try fields.refuse(otherThan: Self.names)
    common = try GenerationFields(fields)
    prompts = try Self.prompts(fields)
    echoes = try fields.boolean("echo") ?? false
    addsSpecialTokens = try fields.boolean("add_special_tokens") ?? true
    let maxTokens = try fields.integer("max_tokens", in: (echoes ? 0 : 1)...Int.max) ?? Self.maxTokensDefault
    scoresOnly = maxTokens == 0
    common.sampling.maxTokens = max(1, maxTokens)
    common.sampling.logprobs = try fields.integer("logprobs", in: 0...SamplingParameters.logprobsMax)
    if fields["prompt_logprobs"] != nil {
      throw .invalid(
        "prompt_logprobs", "prompt_logprobs is not supported, expected echo with logprobs",
        code: "unsupported_field")
    }
    if echoes, let logprobs = common.sampling.logprobs { common.sampling.promptLogprobs = logprobs }
  }

  /// A text, an array of texts, an array of token ids, or an array of such arrays.
  private static func prompts(_ fields: RequestFields) throws(APIError) -> [Prompt] {
    let expected = "a string, an array of strings, an array of token ids or an array of such arrays"
    let prompts: [Prompt]
    switch fields["prompt"] {
    case .string(let text): prompts = [.text(text)]
    case .array(let values):
      if let first = values.first, case .integer = first {
        guard let ids = values.tokenIDs else { throw fields.invalid("prompt", expected: expected) }
        prompts = [.tokens(ids)]
      } else {
        guard values.count <= promptCountMax else {
          throw fields.invalid("prompt", expected: "at most \(promptCountMax) prompts")
        }
        var list: [Prompt] = []
        for value in values {
          guard let prompt = Self.prompt(value) else { throw fields.invalid("prompt", expected: expected) }
          list.append(prompt)
        }
        prompts = list
      }
    default: throw fields.invalid("prompt", expected: expected)
    }
    guard !prompts.isEmpty else { throw fields.invalid("prompt", expected: "at least one prompt") }
    return prompts
  }

  private static func prompt(_ value: JSONValue) -> Prompt? {
    switch value {
    case .string(let text): .text(text)
    case .array(let values): values.tokenIDs.map { .tokens($0) }
    default: nil
    }
  }
}
