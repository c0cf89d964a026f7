import ApusEngine
public import ApusKernels
public import ApusModel
public import ApusTemplate
public import ApusTokenizer

/// A model that turns text into text.
///
/// ```swift
/// let model = try LanguageModel.load(.embedded)
/// for try await piece in try await model.generate("Tell me about the fox") { print(piece, terminator: "") }
/// ```
///
/// Immutable: weights and tokenizer are shared by every generator made from it.
public final class LanguageModel: Sendable {
  /// The folder's name, the file's without its ending, or "embedded".
  public let name: String
  public let weights: PackedWeights
  public let tokenizer: Tokenizer
  public let context: KernelContext
  /// Type that generators hold keys and values in.
  public let kvType: KVType
  /// Makes constraints for the model's tokens.
  public let constraints: ConstraintCompiler

  /// A template that cannot be used keeps nobody from using the model without it.
  private let chatTemplateResult: Result<ChatTemplate?, LanguageModelError>

  /// The model's chat template; nil where it has none. Throws where it has one that is refused.
  public var chatTemplate: ChatTemplate? {
    get throws(LanguageModelError) { try chatTemplateResult.get() }
  }

  public var configuration: ModelConfiguration { weights.configuration }

  /// Tokens that end a text, of those the model can produce.
  public var eosTokenIDs: [Int32] {
    configuration.producibleEOSTokenIDs
  }

  /// A model from parts that are there already.
  public init(
    name: String, weights: PackedWeights, tokenizer: Tokenizer, context: KernelContext, kvType: KVType = .f32,
    chatTemplate: Result<ChatTemplate?, LanguageModelError> = .success(nil)
  ) {
    chatTemplateResult = chatTemplate
    self.name = name
    self.weights = weights
    self.tokenizer = tokenizer
    self.context = context
    self.kvType = kvType
    constraints = ConstraintCompiler(tokenizer, weights.configuration)
  }

  /// Loads a folder, a GGUF file, or the embedded model.
  ///
  /// - Parameter progress: called with the share of the weights loaded, in 0...1.
  /// - Throws: `LanguageModelError` naming file, field and value. Nothing stays behind.
  public static func load(
    _ location: ModelLocation, options: LoadOptions = LoadOptions(), progress: ((Double) -> Void)? = nil
  ) throws(LanguageModelError) -> LanguageModel {
    let files = try location.files()
    let context: KernelContext
    do {
      context = try KernelContext(
        instructionSet: options.instructionSet, threadCount: options.threadCount, precise: options.precise)
    } catch { throw .kernels(error) }
    let model = try files.open()
    let tokenizer = try files.requiredTokenizer()
    return LanguageModel(
      name: location == .embedded ? "embedded" : files.name,
      weights: try model.weights(type: options.weights, context: context, progress: progress),
      tokenizer: tokenizer, context: context, kvType: options.kvType,
      chatTemplate: Result { () throws(LanguageModelError) in try files.chatTemplate() })
  }

  /// The ids of a text that the chat template made: nothing is added around it, for the template has written
  /// the special tokens, and every spelling of one becomes that token, those in messages too.
  public func encode(chat text: String) throws(TokenizerError) -> [Int32] {
    try tokenizer.encode(text, addSpecialTokens: false)
  }

  /// The ids of `prompt`, with what the tokenizer's file says belongs before a text.
  public func encode(_ prompt: String) throws(TokenizerError) -> [Int32] { try tokenizer.encode(prompt) }
}
