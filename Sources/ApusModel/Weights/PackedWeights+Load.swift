public import ApusCheckpoint
public import ApusKernels
public import Foundation

extension PackedWeights {
  /// Loads a Hugging Face folder: `config.json`, `generation_config.json`, safetensors.
  ///
  /// - Parameters:
  ///   - type: what to convert the matrices to; nil: each is held as the checkpoint has it.
  ///   - progress: called with the share packed, in 0...1.
  /// - Throws: `ModelError` naming file, field or tensor, value and what was expected. Nothing stays behind.
  public convenience init(
    directory: URL, type: WeightType? = nil, context: KernelContext, progress: ((Double) -> Void)? = nil
  ) throws(ModelError) {
    let (configuration, checkpoint) = try Self.open(directory)
    try self.init(checkpoint, configuration: configuration, type: type, context: context, progress: progress)
  }

  /// Packs a checkpoint that `open(_:)` gave, or maps one that is packed.
  public convenience init(
    _ checkpoint: Checkpoint, configuration: ModelConfiguration, type: WeightType? = nil,
    context: KernelContext, progress: ((Double) -> Void)? = nil
  ) throws(ModelError) {
    if PackedPanels.isPacked(checkpoint) {
      try self.init(packed: checkpoint, configuration: configuration, type: type)
      progress?(1)
      return
    }
    try self.init(
      CheckpointWeights(checkpoint, configuration: configuration), configuration: configuration, type: type,
      context: context, progress: progress)
    do { try checkpoint.requireUnchanged() } catch { throw .checkpoint(error) }
  }

  /// Reads and validates a folder's configuration and the headers of its checkpoint; no weight is read.
  public static func open(_ directory: URL) throws(ModelError) -> (ModelConfiguration, Checkpoint) {
    let configuration: ModelConfiguration
    do { configuration = try ModelConfiguration(directory: directory) } catch { throw .configuration(error) }
    let checkpoint: Checkpoint
    do { checkpoint = try Checkpoint.open(directory) } catch { throw .checkpoint(error) }
    if PackedPanels.isPacked(checkpoint) {
      _ = try PackedPanels.validate(checkpoint, configuration)
      return (configuration, checkpoint)
    }
    do { try configuration.validate(checkpoint) } catch { throw .tensors(error) }
    return (configuration, checkpoint)
  }
}
