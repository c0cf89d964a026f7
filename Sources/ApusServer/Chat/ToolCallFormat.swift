/// How a model writes calls of tools in its text.
public enum ToolCallFormat: String, Sendable, CaseIterable {
  /// `<tool_call>{"name": ..., "arguments": {...}}</tool_call>`, any number of them among text: Hermes, Qwen.
  case hermes
  /// The whole text is `{"name": ..., "parameters": {...}}`, or several with semicolons between: Llama 3.
  case llama3
}

/// One call of a tool.
struct ToolCall: Sendable, Equatable {
  var name: String
  /// JSON, as the model wrote it.
  var arguments: String
}
