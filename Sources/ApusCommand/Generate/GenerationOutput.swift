import ApusEngine
import ApusServer

/// How `apus generate` prints results.
enum GenerationOutput: String, CaseIterable {
  /// The generated text, without special tokens and without the token that ended it.
  case text
  /// A JSON array of the generated ids, a stop token included.
  case ids
  /// A JSON object with all there is to know.
  case json
}

/// What one request gave, with what is needed to print it.
struct GenerationRecord {
  var index: Int
  var request: PromptRequest
  var promptTokens: [Int32]
  var result: GenerationResult
  /// nil without a tokenizer.
  var text: String?

  /// Why it failed, nil if it did not.
  var failure: String? {
    switch result.finishReason {
    case .stop, .stopCondition, .complete, .length: nil
    case .timedOut: "\(request.place): its time was over"
    case .unread: "\(request.place): its tokens were not read"
    case .cancelled: "\(request.place): cancelled"
    case .shutdown: "\(request.place): the engine was shut down"
    case .failed(.invalidLogits(_, let position)):
      "\(request.place): the logits for position \(position) hold NaN or infinity"
    case .failed(let error): "\(request.place): \(error)"
    }
  }

  /// Greedy without a seed of the caller's: nothing was drawn.
  private var isSeedless: Bool { request.sampling.temperature == 0 && request.sampling.seed == nil }

  /// One line of `--output json`. Names follow OpenAI's completions where it has one.
  var json: JSONText {
    let usage = result.usage
    let prompt: JSONText = if case .text(let text) = request.prompt { .string(text) } else { .null }
    return [
      "index": .integer(index),
      "prompt": prompt,
      "prompt_ids": .ids(promptTokens),
      "ids": .ids(result.tokenIDs),
      "text": .optional(text) { .string($0) },
      "finish_reason": .string(result.finishReason.name),
      "error": .optional(failure) { .string($0) },
      "logprobs": request.sampling.logprobs == nil ? .null : .array(result.tokens.map(\.logprobsJSON)),
      "seed": isSeedless ? .null : .unsigned(usage.seed),
      "usage": [
        "prompt_tokens": .integer(usage.promptTokenCount),
        "completion_tokens": .integer(usage.completionTokenCount),
        "total_tokens": .integer(usage.promptTokenCount + usage.completionTokenCount),
      ],
      "timing": [
        "queue_seconds": .seconds(usage.timing.queueTime),
        "time_to_first_token_seconds": .seconds(usage.timing.timeToFirstToken),
        "latency_seconds": .seconds(usage.timing.latency),
      ],
    ]
  }
}

extension FinishReason {
  /// OpenAI's name where it has one.
  var name: String {
    switch self {
    case .stop, .stopCondition, .complete: "stop"
    case .timedOut: "timeout"
    case .unread: "unread"
    case .length: "length"
    case .cancelled: "cancelled"
    case .shutdown: "shutdown"
    case .failed: "error"
    }
  }
}

extension GeneratedToken {
  fileprivate var logprobsJSON: JSONText {
    [
      "id": .integer(Int(id)),
      "logprob": .optional(logprobs) { .float($0.chosen) },
      "top_logprobs": .array(
        (logprobs?.top ?? []).map { ["id": .integer(Int($0.id)), "logprob": .float($0.logprob)] }),
    ]
  }
}

extension JSONText {
  fileprivate static func seconds(_ duration: Duration?) -> JSONText {
    // Microseconds: more digits would be noise.
    .optional(duration) { .double(($0 / .seconds(1) * 1e6).rounded() / 1e6) }
  }
}
