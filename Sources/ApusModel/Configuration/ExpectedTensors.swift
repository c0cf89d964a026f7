public import ApusCheckpoint
import Foundation

/// A tensor that a configuration asks of its checkpoint, under its Hugging Face name.
public struct ExpectedTensor: Sendable, Equatable {
  public let name: String
  /// Linear weights are [output, input].
  public let shape: [Int]
}

extension ModelConfiguration {
  /// Every tensor the model is made of: embedding, layers in order, final norm, then the output projection
  /// unless it is tied.
  public var expectedTensors: [ExpectedTensor] {
    var tensors = [ExpectedTensor(name: "model.embed_tokens.weight", shape: [vocabularySize, hiddenSize])]
    for layer in 0..<layerCount { tensors += expectedTensors(layer: layer) }
    tensors.append(ExpectedTensor(name: "model.norm.weight", shape: [hiddenSize]))
    if !tiedEmbeddings {
      tensors.append(ExpectedTensor(name: "lm_head.weight", shape: [vocabularySize, hiddenSize]))
    }
    return tensors
  }

  /// The tensors of one layer.
  public func expectedTensors(layer: Int) -> [ExpectedTensor] {
    let queryWidth = headCount * headSize
    let kvWidth = kvHeadCount * headSize
    let prefix = "model.layers.\(layer)."
    var tensors: [ExpectedTensor] = []
    func norm(_ name: String, _ size: Int) {
      tensors.append(ExpectedTensor(name: "\(prefix)\(name).weight", shape: [size]))
    }
    func linear(_ name: String, _ output: Int, _ input: Int, bias: Bool) {
      tensors.append(ExpectedTensor(name: "\(prefix)\(name).weight", shape: [output, input]))
      if bias { tensors.append(ExpectedTensor(name: "\(prefix)\(name).bias", shape: [output])) }
    }
    norm("input_layernorm", hiddenSize)
    linear("self_attn.q_proj", queryWidth, hiddenSize, bias: attentionBias)
    linear("self_attn.k_proj", kvWidth, hiddenSize, bias: attentionBias)
    linear("self_attn.v_proj", kvWidth, hiddenSize, bias: attentionBias)
    linear("self_attn.o_proj", hiddenSize, queryWidth, bias: outputBias)
    if queryKeyNorm {
      norm("self_attn.q_norm", headSize)
      norm("self_attn.k_norm", headSize)
    }
    norm("post_attention_layernorm", hiddenSize)
    linear("mlp.gate_proj", intermediateSize, hiddenSize, bias: mlpBias)
    linear("mlp.up_proj", intermediateSize, hiddenSize, bias: mlpBias)
    linear("mlp.down_proj", hiddenSize, intermediateSize, bias: mlpBias)
    return tensors
  }

  /// Checks that `checkpoint` holds exactly the tensors of this configuration, in the right shapes and in a
  /// dtype that weights may have; a matrix may be quantized as the configuration says. Values are not looked at, with
  /// the exception below.
  ///
  /// Two kinds of extra tensor pass: `rotary_emb.inv_freq`, which old checkpoints carry and which follows
  /// from the configuration, and beside tied embeddings an `lm_head` that is a copy of the embedding.
  /// One that differs is refused: transformers 4 ignores it and version 5 uses it, so it has no one meaning.
  public func validate(_ checkpoint: Checkpoint) throws(ModelTensorError) {
    var names: Set<String> = []
    for tensor in expectedTensors {
      for part in parts(of: tensor, in: checkpoint) {
        try part.check(checkpoint)
        names.insert(part.name)
      }
    }
    let head = "lm_head."
    for tensor in checkpoint.tensors where !names.contains(tensor.name) {
      if tensor.name.hasSuffix(".rotary_emb.inv_freq") { continue }
      let original = "model.embed_tokens." + tensor.name.dropFirst(head.count)
      guard tiedEmbeddings, tensor.name.hasPrefix(head), let embedding = checkpoint[original] else {
        throw .unexpected(path: tensor.path, tensor: tensor.name)
      }
      guard isCopy(tensor, embedding) else { throw .contradictsTie(path: tensor.path, tensor: tensor.name) }
    }
  }

  /// The tensors that hold `tensor` in `checkpoint`: itself, or integers, scales and minima.
  private func parts(of tensor: ExpectedTensor, in checkpoint: Checkpoint) -> [StoredPart] {
    guard tensor.shape.count == 2, let names = QuantizedNames(weight: tensor.name),
      let scales = checkpoint[names.scales], let format = quantization?.format(of: names.module)
    else { return [StoredPart(name: tensor.name, shape: tensor.shape)] }
    let (rows, columns) = (tensor.shape[0], tensor.shape[1])
    // A row that is no whole number of groups has no shape that would do.
    let groups = columns % format.groupSize == 0 ? columns / format.groupSize : 0
    return [
      StoredPart(
        name: tensor.name, shape: [rows, groups * format.groupSize * format.bits / 32], dtype: .u32),
      StoredPart(name: names.scales, shape: [rows, groups]),
      StoredPart(name: names.biases, shape: [rows, groups], dtype: scales.dtype),
    ]
  }
}

/// A tensor of a checkpoint: of `dtype`, or of any that weights may have.
private struct StoredPart {
  var name: String
  var shape: [Int]
  var dtype: TensorDType?

  func check(_ checkpoint: Checkpoint) throws(ModelTensorError) {
    guard let found = checkpoint[name] else {
      throw .missing(path: checkpoint.directory.path, tensor: name, expectedShape: shape)
    }
    guard found.shape == shape else {
      throw .wrongShape(path: found.path, tensor: name, found: found.shape, expected: shape)
    }
    if let dtype {
      guard found.dtype == dtype else {
        throw .wrongDType(path: found.path, tensor: name, found: found.dtype, expected: dtype)
      }
    } else if !found.dtype.isWeight {
      throw .unusableDType(path: found.path, tensor: name, found: found.dtype)
    }
  }
}

private func isCopy(_ first: CheckpointTensor, _ second: CheckpointTensor) -> Bool {
  guard first.dtype == second.dtype, first.shape == second.shape else { return false }
  return first.withUnsafeBytes { first in
    second.withUnsafeBytes { second in
      guard let one = first.baseAddress, let other = second.baseAddress else { return true }
      return memcmp(one, other, first.count) == 0
    }
  }
}
