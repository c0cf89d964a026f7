public import ApusEngine
public import ApusGrammar
public import ApusKernels
public import ApusModel
public import ApusStories
public import ApusTemplate
public import ApusTokenizer

/// Why a model could not be loaded, or a prompt not be run.
public enum LanguageModelError: Error, Sendable, Equatable, CustomStringConvertible {
  case embeddedModel(StoriesError)
  case model(ModelError)
  case tokenizer(TokenizerError)
  case chatTemplate(ChatTemplateError)
  case kernels(KernelError)
  case engine(EngineError)
  /// The prompt of that index was refused; none of the prompts given with it ran.
  case prompt(index: Int, AdmissionError)
  /// The prompt of that index began and then failed.
  case generation(index: Int, GenerationError)
  /// A prompt cannot be turned into tokens.
  case encoding(index: Int, TokenizerError)
  /// What the text must be cannot be compiled.
  case constraint(GrammarError)
  /// The engine was shut down before the prompt of that index was done.
  case shutDown(index: Int)

  public var description: String {
    switch self {
    case .embeddedModel(let error): "\(error)"
    case .model(let error): error.description
    case .tokenizer(let error): error.description
    case .chatTemplate(let error): error.description
    case .kernels(let error): error.description
    case .engine(let error): error.description
    case .prompt(let index, let error): "prompt \(index): \(error.description)"
    case .generation(let index, let error): "prompt \(index): \(error.description)"
    case .encoding(let index, let error): "prompt \(index): \(error.description)"
    case .constraint(let error): error.description
    case .shutDown(let index): "prompt \(index): the engine was shut down"
    }
  }
}
