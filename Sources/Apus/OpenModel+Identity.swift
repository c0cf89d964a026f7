import ApusCheckpoint
import ApusModel
public import ApusObservability

extension OpenModel {
  /// Which model this is, by what its files hold: what recordings of its answers are told apart by.
  ///
  /// The weights' hash covers name, type and shape of every tensor and its first `sampledByteCount` bytes: models that
  /// were trained apart differ in it, and no more than a page of each tensor is read.
  /// - Parameter name: as reports call it.
  public func identity(named name: String) -> RecordingHeader.Model {
    var weights = ContentHash()
    switch source {
    case .checkpoint(let checkpoint):
      for tensor in checkpoint.tensors {
        weights.combine(tensor.name, "\(tensor.dtype)", tensor.shape)
        tensor.withUnsafeBytes { weights.combine(bytes: $0.prefix(Self.sampledByteCount)) }
      }
    case .gguf(let file):
      for tensor in file.tensors {
        weights.combine(tensor.name, "\(tensor.type)", tensor.shape)
        tensor.withUnsafeBytes { weights.combine(bytes: $0.prefix(Self.sampledByteCount)) }
      }
    }
    return RecordingHeader.Model(name: name, configuration: configuration.contentHash, weights: weights)
  }

  private static let sampledByteCount = 256
}

extension ContentHash {
  fileprivate mutating func combine(_ name: String, _ type: String, _ shape: [Int]) {
    combine(name)
    combine(type)
    combine(shape.count)
    for size in shape { combine(size) }
  }
}

extension ModelConfiguration {
  /// Of all that logits depend on. The end tokens and the context length are a recording's own.
  fileprivate var contentHash: ContentHash {
    var hash = ContentHash()
    hash.combine(architecture.rawValue)
    for size in [
      vocabularySize, hiddenSize, intermediateSize, layerCount, headCount, kvHeadCount, headSize,
    ] { hash.combine(size) }
    hash.combine(rmsNormEpsilon.bitPattern)
    hash.combine(rope.theta.bitPattern)
    hash.combine("\(rope.scaling)")
    for flag in [tiedEmbeddings, attentionBias, outputBias, mlpBias, queryKeyNorm] {
      hash.combine(flag ? 1 : 0 as UInt8)
    }
    for window in slidingWindows { hash.combine(window ?? 0) }
    return hash
  }
}
