import ApusCheckpoint
import ApusEngine

/// `POST /v1/chat/completions`, decoded and checked as far as it can be without the model.
package struct ChatRequest: Sendable {
  package var common: GenerationFields
  package var conversation: ChatConversation
  package var tools: [Tool]
  package var toolChoice: ToolChoice
  /// The answer may hold several calls.
  package var allowsParallelCalls: Bool
  package var wantsLogprobs: Bool

  static let names: Set<String> = GenerationFields.names.union(GenerationFields.harmless)
    .union(GenerationFields.neutral.keys)
    .union([
      "messages", "max_tokens", "max_completion_tokens", "logprobs", "top_logprobs", "tools", "tool_choice",
      "parallel_tool_calls", "add_generation_prompt", "continue_final_message", "chat_template_kwargs",
    ])

  package init(_ fields: RequestFields) throws(APIError) {
    try fields.refuse(otherThan: Self.names)
    common = try GenerationFields(fields)
    tools = try Tool.list(fields)
    toolChoice = try ToolChoice(fields, tools: tools)
    allowsParallelCalls = try fields.boolean("parallel_tool_calls") ?? true
    conversation = try Self.conversation(fields, tools: toolChoice == .none ? [] : tools)
    common.sampling.maxTokens = try Self.maxTokens(fields)
    wantsLogprobs = try fields.boolean("logprobs") ?? false
    let topLogprobs = try fields.integer("top_logprobs", in: 0...SamplingParameters.logprobsMax)
    guard wantsLogprobs || topLogprobs == nil else {
      throw .invalid("top_logprobs", "top_logprobs is set, expected only with logprobs true")
    }
    if wantsLogprobs { common.sampling.logprobs = topLogprobs ?? 0 }
    if let format = toolChoice.outputFormat(tools, allowsParallelCalls: allowsParallelCalls) {
      guard common.outputFormat == nil else {
        throw .invalid("response_format", "response_format and a forced tool_choice are set, expected one")
      }
      common.outputFormat = format
    } else if common.outputFormat != nil, toolChoice != .none {
      throw .invalid(
        "response_format", "response_format is set beside tools, expected one of them, or tool_choice none")
    }
  }

  private static func conversation(
    _ fields: RequestFields, tools: [Tool]
  ) throws(APIError) -> ChatConversation {
    let continues = try fields.boolean("continue_final_message") ?? false
    let adds = try fields.boolean("add_generation_prompt") ?? !continues
    guard !(continues && adds) else {
      throw .invalid(
        "continue_final_message", "continue_final_message is true, expected add_generation_prompt false")
    }
    return ChatConversation(
      messages: try ChatMessages.list(fields), tools: tools.map(\.json), addsGenerationPrompt: adds,
      continuesFinalMessage: continues,
      templateArguments: try fields.object("chat_template_kwargs")?.members ?? JSONMembers())
  }

  private static func maxTokens(_ fields: RequestFields) throws(APIError) -> Int? {
    let old = try fields.integer("max_tokens", in: 1...Int.max)
    let new = try fields.integer("max_completion_tokens", in: 1...Int.max)
    if let old, let new, old != new {
      throw .invalid("max_tokens", "max_tokens is \(old) and max_completion_tokens \(new), expected one")
    }
    return new ?? old
  }
}
