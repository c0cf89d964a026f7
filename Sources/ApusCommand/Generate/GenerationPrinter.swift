import Apus
import ApusEngine
import ApusServer
import ApusTokenizer

/// Reads results in the order of their prompts and prints each as soon as those before it are done.
struct GenerationPrinter {
  let output: GenerationOutput
  let tokenizer: Tokenizer?

  /// - Throws: `CommandFailure` after all is printed, if a request failed.
  func print(
    _ streams: [TokenStream], _ prompts: [PromptRequest], _ requests: [GenerationRequest]
  ) async throws {
    let progress = StandardStreams.outputIsTerminal ? nil : ProgressLine()
    var failures: [String] = []
    for (index, stream) in streams.enumerated() {
      let isStreamed = output == .text && streams.count == 1
      let (result, text) = try await read(
        stream, continuing: requests[index].promptTokens, isStreamed: isStreamed)
      let record = GenerationRecord(
        index: index, request: prompts[index], promptTokens: requests[index].promptTokens, result: result,
        text: text)
      if let failure = record.failure { failures.append(failure) }
      if !isStreamed { try StandardStreams.write(line(record, of: streams.count)) }
      progress?.update("\(index + 1) of \(streams.count) prompts done")
    }
    progress?.clear()
    if let first = failures.first {
      let others = failures.count > 1 ? " (and \(failures.count - 1) more prompts failed)" : ""
      throw CommandFailure(first + others)
    }
  }

  /// Reads `stream` to its end. Streamed text is printed as it comes, with a line's end after it.
  private func read(
    _ stream: TokenStream, continuing prompt: [Int32], isStreamed: Bool
  ) async throws -> (GenerationResult, text: String?) {
    var assembler = tokenizer.map { GeneratedText($0, continuing: prompt) }
    var text = ""
    var tokens: [GeneratedToken] = []
    var promptLogprobs: [TokenLogprobs?]?
    for await event in stream {
      let piece = assembler?.append(event) ?? ""
      text += piece
      if isStreamed, !piece.isEmpty { try StandardStreams.write(piece) }
      switch event {
      case .promptLogprobs(let logprobs): promptLogprobs = logprobs
      case .token(let token): tokens.append(token)
      case .finished(let reason, let usage):
        if isStreamed { try StandardStreams.write("\n") }
        let result = GenerationResult(
          tokens: tokens, promptLogprobs: promptLogprobs, finishReason: reason, usage: usage)
        return (result, assembler == nil ? nil : text)
      }
    }
    throw CommandFailure("the engine ended a request without a word")
  }

  private func line(_ record: GenerationRecord, of count: Int) -> String {
    switch output {
    case .json: return record.json.text + "\n"
    case .ids: return JSONText.ids(record.result.tokenIDs).text + "\n"
    case .text:
      let prompt =
        switch record.request.prompt {
        case .text(let text): text.asOneLine
        case .ids(let ids): JSONText.ids(ids).text
        }
      return "[\(record.index + 1)/\(count)] \(prompt)\n\(record.text ?? "")\n\n"
    }
  }
}
