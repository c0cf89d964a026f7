/// Why a template was refused or did not render. `line` counts from 1 in the template's source.
public enum TemplateError: Error, Sendable, Equatable {
  /// The source is longer than the limit.
  case tooLarge(byteCount: Int, limit: Int)
  /// The source is no Jinja.
  case syntax(line: Int, reason: String)
  /// A tag, filter, test, function or method that Jinja or Python has and this renderer has not.
  case unsupported(line: Int, feature: String)
  /// Expressions, blocks, calls or values are nested deeper than the limit.
  case tooDeep(line: Int, limit: Int)
  /// Rendering took more steps than the limit.
  case tooManySteps(line: Int, limit: Int)
  /// The output, or a text on the way to it, is longer than the limit.
  case tooMuchText(line: Int, limit: Int)
  /// A range has more numbers than the limit.
  case rangeTooLarge(line: Int, limit: Int)
  /// An integer of 64 bits does not hold the result.
  case integerOverflow(line: Int)
  /// The template called `raise_exception` with this message: it does not take such a conversation.
  case raised(message: String)
  /// Something undefined was used for more than printing and asking.
  case undefined(line: Int, reason: String)
  /// A value does not have the type, or the range, that what was done with it needs.
  case invalidOperation(line: Int, reason: String)
}

extension TemplateError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .tooLarge(let byteCount, let limit): "the template has \(byteCount) bytes; expected at most \(limit)"
    case .syntax(let line, let reason): "line \(line): \(reason)"
    case .unsupported(let line, let feature): "line \(line): \(feature) is not supported"
    case .tooDeep(let line, let limit): "line \(line): nested deeper than \(limit)"
    case .tooManySteps(let line, let limit): "line \(line): more than \(limit) steps"
    case .tooMuchText(let line, let limit): "line \(line): a text of more than \(limit) bytes"
    case .rangeTooLarge(let line, let limit): "line \(line): a range of more than \(limit) numbers"
    case .integerOverflow(let line): "line \(line): an integer outside 64 bits"
    case .raised(let message): "the template refuses the conversation: \(message)"
    case .undefined(let line, let reason): "line \(line): \(reason)"
    case .invalidOperation(let line, let reason): "line \(line): \(reason)"
    }
  }
}
