import Apus
import ApusCheckpoint
import ApusModel

/// A tensor as the model's files have it, whatever their format.
struct StoredTensor {
  let name: String
  /// As tools of the format write it: `BF16`, `Q4_K`.
  let type: String
  /// Outermost axis first.
  let shape: [Int]
}

extension OpenModel {
  var format: String {
    switch source {
    case .checkpoint(let checkpoint):
      PackedWeights.isPacked(checkpoint) ? "safetensors, packed" : "safetensors"
    case .gguf(let file): "GGUF \(file.version)"
    }
  }

  var tensors: [StoredTensor] {
    switch source {
    case .checkpoint(let checkpoint):
      checkpoint.tensors.map { StoredTensor(name: $0.name, type: $0.dtype.rawValue, shape: $0.shape) }
    case .gguf(let file):
      file.tensors.map { StoredTensor(name: $0.name, type: $0.type.name, shape: $0.shape) }
    }
  }

  /// Every type of the format, in the order of its list.
  var typeNames: [String] {
    switch source {
    case .checkpoint: TensorDType.allCases.map(\.rawValue)
    case .gguf: GGUFTensorType.allCases.map(\.name)
    }
  }

  /// Bytes of all tensors together, as stored.
  var byteCount: Int {
    switch source {
    case .checkpoint(let checkpoint): checkpoint.byteCount
    case .gguf(let file): file.byteCount
    }
  }
}
