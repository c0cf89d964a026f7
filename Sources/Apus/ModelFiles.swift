public import ApusCheckpoint
public import ApusKernels
public import ApusModel
public import ApusTemplate
public import ApusTokenizer
public import Foundation

/// The files of a model, each read when it is asked for.
public enum ModelFiles: Sendable {
  /// A Hugging Face folder.
  case folder(URL)
  /// A GGUF file whose header was read and checked.
  case gguf(GGUFFile)
}

extension ModelLocation {
  /// Finds the model's files. A folder is not looked into; of a GGUF file the header is read.
  public func files() throws(LanguageModelError) -> ModelFiles {
    guard case .gguf(let url) = self else { return .folder(try resolved()) }
    do { return .gguf(try GGUFFile(url)) } catch { throw .model(.checkpoint(error)) }
  }
}

extension ModelFiles {
  /// The folder or the file.
  public var path: String {
    switch self {
    case .folder(let url): url.path
    case .gguf(let file): file.path
    }
  }

  /// The folder's name, or the file's without its ending.
  public var name: String {
    switch self {
    case .folder(let url): url.lastPathComponent
    case .gguf(let file): URL(filePath: file.path).deletingPathExtension().lastPathComponent
    }
  }

  /// What a model without a tokenizer lacks.
  public var tokenizerPlace: String {
    switch self {
    case .folder: "tokenizer.json"
    case .gguf: "tokenizer.ggml.model"
    }
  }

  /// The model's tokenizer; nil where there is none.
  public func tokenizer() throws(LanguageModelError) -> Tokenizer? {
    switch self {
    case .folder(let url):
      let file = url.appending(path: "tokenizer.json")
      guard FileManager.default.fileExists(atPath: file.path) else { return nil }
      do { return try Tokenizer(folder: url) } catch { throw .tokenizer(error) }
    case .gguf(let file):
      return try Tokenizer(gguf: file)
    }
  }

  /// The model's chat template; nil where there is none.
  public func chatTemplate() throws(LanguageModelError) -> ChatTemplate? {
    do throws(ChatTemplateError) {
      switch self {
      case .folder(let url): return try ChatTemplate(folder: url)
      case .gguf(let file): return try ChatTemplate(gguf: file)
      }
    } catch { throw .chatTemplate(error) }
  }

  func requiredTokenizer() throws(LanguageModelError) -> Tokenizer {
    switch self {
    case .folder(let url):
      do { return try Tokenizer(folder: url) } catch { throw .tokenizer(error) }
    case .gguf(let file):
      if let tokenizer = try Tokenizer(gguf: file) { return tokenizer }
      throw .model(.checkpoint(file.metadata.invalid(tokenizerPlace, expected: "the kind of tokenizer")))
    }
  }

  /// Reads and checks configuration and headers; no weight is read.
  public func open() throws(LanguageModelError) -> OpenModel {
    do {
      switch self {
      case .folder(let url):
        let (configuration, checkpoint) = try PackedWeights.open(url)
        return OpenModel(configuration: configuration, source: .checkpoint(checkpoint))
      case .gguf(let file):
        return OpenModel(configuration: try PackedWeights.configuration(of: file), source: .gguf(file))
      }
    } catch { throw .model(error) }
  }
}

/// A model whose configuration and headers were read and checked.
public struct OpenModel: Sendable {
  /// Where the weights come from.
  public enum Source: Sendable {
    case checkpoint(Checkpoint)
    case gguf(GGUFFile)
  }

  public let configuration: ModelConfiguration
  public let source: Source

  /// Reads, checks and packs the weights.
  ///
  /// - Parameters:
  ///   - type: what to convert the matrices to; nil: each is held as the files have it.
  ///   - progress: called with the share packed, in 0...1.
  public func weights(
    type: WeightType? = nil, context: KernelContext, progress: ((Double) -> Void)? = nil
  ) throws(LanguageModelError) -> PackedWeights {
    do {
      switch source {
      case .checkpoint(let checkpoint):
        return try PackedWeights(
          checkpoint, configuration: configuration, type: type, context: context, progress: progress)
      case .gguf(let file):
        return try PackedWeights(
          file, configuration: configuration, type: type, context: context, progress: progress)
      }
    } catch { throw .model(error) }
  }
}
