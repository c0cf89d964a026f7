public import ApusCheckpoint
public import ApusKernels
public import Foundation

extension PackedWeights {
  /// Loads a GGUF file.
  ///
  /// - Parameters:
  ///   - type: what to convert the matrices to; nil: each is held as the file has it, blocks without loss.
  ///   - progress: called with the share packed, in 0...1.
  /// - Throws: `ModelError` naming file, key or tensor, value and what was expected. Nothing stays behind.
  public convenience init(
    gguf url: URL, type: WeightType? = nil, context: KernelContext, progress: ((Double) -> Void)? = nil
  ) throws(ModelError) {
    let (configuration, file) = try Self.open(gguf: url)
    try self.init(file, configuration: configuration, type: type, context: context, progress: progress)
  }

  /// Packs a file that `open(gguf:)` gave.
  public convenience init(
    _ file: GGUFFile, configuration: ModelConfiguration, type: WeightType? = nil, context: KernelContext,
    progress: ((Double) -> Void)? = nil
  ) throws(ModelError) {
    try self.init(
      GGUFWeights(file, configuration: configuration), configuration: configuration,
      type: type, context: context, progress: progress)
    do { try file.requireUnchanged() } catch { throw .checkpoint(error) }
  }

  /// Reads and validates a GGUF file's header and the configuration in it; no weight is read.
  public static func open(gguf url: URL) throws(ModelError) -> (ModelConfiguration, GGUFFile) {
    let file: GGUFFile
    do { file = try GGUFFile(url) } catch { throw .checkpoint(error) }
    return (try configuration(of: file), file)
  }

  /// Reads and validates the configuration in a GGUF file's header, and that the file has its tensors.
  public static func configuration(of file: GGUFFile) throws(ModelError) -> ModelConfiguration {
    let configuration: ModelConfiguration
    do { configuration = try ModelConfiguration(file) } catch { throw .configuration(error) }
    do { try configuration.validate(file) } catch { throw .tensors(error) }
    return configuration
  }
}
