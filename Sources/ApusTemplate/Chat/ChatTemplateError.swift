public import ApusCheckpoint

/// Why a model's chat template cannot be used, or not for this conversation.
public enum ChatTemplateError: Error, Sendable, Equatable {
  /// A file with a template, or the special tokens for it, cannot be used.
  case file(CheckpointError)
  /// The template of this name is refused, or did not render.
  case template(name: String, TemplateError)
  /// The model has no template of this name; nil: no `default` among several.
  case unknownTemplate(name: String?, names: [String])
  case invalidConversation(reason: String)
}

extension ChatTemplateError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .file(let error): return error.description
    case .template(let name, let error): return "chat template \(quoted(name)): \(error)"
    case .unknownTemplate(let name, let names):
      let known = names.map { quoted($0) }.joined(separator: ", ")
      let wanted = name.map { "named \(quoted($0))" } ?? "to choose by itself"
      return "no chat template \(wanted); the model has \(known)"
    case .invalidConversation(let reason): return reason
    }
  }
}
