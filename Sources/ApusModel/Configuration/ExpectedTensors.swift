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
  /// dtype that weights may have. Values are not looked at, with the exception below.
  ///
  /// Two kinds of extra tensor pass: `rotary_emb.inv_freq`, which old checkpoints carry and which follows
  /// from the configuration, and beside tied embeddings an `lm_head.weight` that is a copy of the embedding.
  /// One that differs is refused: transformers 4 ignores it and version 5 uses it, so it has no one meaning.
  public func validate(_ checkpoint: Checkpoint) throws(ModelTensorError) {
    let path = checkpoint.directory.path
    let expected = expectedTensors
    for tensor in expected {
      guard let found = checkpoint[tensor.name] else {
        throw .missing(path: path, tensor: tensor.name, expectedShape: tensor.shape)
      }
      guard found.shape == tensor.shape else {
        throw .wrongShape(path: found.path, tensor: tensor.name, found: found.shape, expected: tensor.shape)
      }
      guard found.dtype.isWeight else {
        throw .unusableDType(path: found.path, tensor: tensor.name, found: found.dtype)
      }
    }
    let names = Set(expected.map(\.name))
    for tensor in checkpoint.tensors where !names.contains(tensor.name) {
      if tensor.name.hasSuffix(".rotary_emb.inv_freq") { continue }
      guard tiedEmbeddings, tensor.name == "lm_head.weight" else {
        throw .unexpected(path: tensor.path, tensor: tensor.name)
      }
      guard let embedding = checkpoint["model.embed_tokens.weight"], isCopy(tensor, embedding) else {
        throw .contradictsTie(path: tensor.path, tensor: tensor.name)
      }
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
