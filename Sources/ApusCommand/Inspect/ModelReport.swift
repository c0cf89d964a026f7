import Apus
import ApusCheckpoint
import ApusKernels
import ApusModel
import ApusServer

/// What `apus inspect` tells of a model that is loaded.
struct ModelReport {
  let path: String
  let model: OpenModel
  let weights: PackedWeights
  /// One more than the tokenizer's largest id; nil without a tokenizer.
  let tokenizerSize: Int?
  let cache: CacheSize
  let context: KernelContext
  let topology: ProcessorTopology

  var configuration: ModelConfiguration { model.configuration }

  /// Elements of every tensor that the model runs with; a tied output projection counts once.
  var parameterCount: Int {
    configuration.expectedTensors.reduce(0) { $0 + $1.shape.reduce(1, *) }
  }

  /// Tensors of each type in the files, in the order of the format's list of types.
  var typeCounts: [(type: String, count: Int)] {
    let counts = Dictionary(grouping: model.tensors, by: \.type).mapValues(\.count)
    return model.typeNames.compactMap { name in counts[name].map { (name, $0) } }
  }

  /// Layers that see a window of the past only, and its length, as in "12 x 4096"; "none".
  var windows: String {
    var counts: [(window: Int, count: Int)] = []
    for window in configuration.slidingWindows.compactMap({ $0 }) {
      if let index = counts.firstIndex(where: { $0.window == window }) {
        counts[index].count += 1
      } else {
        counts.append((window, 1))
      }
    }
    return counts.isEmpty ? "none" : counts.map { "\($0.count) x \($0.window)" }.joined(separator: ", ")
  }
}

// MARK: - For a person

extension ModelReport {
  func text(listingTensors: Bool) -> String {
    let c = configuration
    let types = typeCounts.map { "\($0.count) \($0.type)" }.joined(separator: ", ")
    let runnable = InstructionSet.runnable.map(\.rawValue).joined(separator: ", ")
    let rows = [
      ("model", path),
      ("format", model.format),
      ("architecture", c.architecture.rawValue),
      ("parameters", parameterCount.grouped),
      ("tensors", "\(model.tensors.count) (\(types)), \(model.byteCount.asBytes)"),
      ("vocabulary", "\(c.vocabularySize)"),
      ("tokenizer", tokenizerSize.map { "ids below \($0)" } ?? "none"),
      ("layers", "\(c.layerCount)"),
      ("hidden size", "\(c.hiddenSize), intermediate \(c.intermediateSize)"),
      ("heads", "\(c.headCount) of \(c.headSize), \(c.kvHeadCount) for keys and values"),
      ("rope", "theta \(c.rope.theta), scaling \(c.rope.scaling.text)"),
      ("sliding windows", windows),
      ("embeddings", c.tiedEmbeddings ? "tied" : "untied"),
      ("context", "\(c.contextLength) tokens"),
      ("weights", "\(weights.byteCount.asBytes) packed as \(weights.typeNames)"),
      (
        "KV cache",
        "\(cache.bytesPerToken.asBytes) a token as \(cache.type.rawValue); \(cache.byteCount.asBytes) for "
          + "\(cache.slotCount) slots of \(cache.contextLength)"
      ),
      (
        "KV cache types",
        cache.bytesPerTokenByType.map { "\($0.type.rawValue) \($0.bytes.asBytes)" }.joined(separator: ", ")
          + " a token"
      ),
      ("instruction set", "\(context.instructionSet.rawValue) (of \(runnable))"),
      ("threads", "\(context.threadCount) (\(topology.reason))"),
    ]
    var lines = rows.map { name, value in
      name + String(repeating: " ", count: 17 - name.count) + value.asOneLine
    }
    if listingTensors {
      lines += model.tensors.map { "\($0.name) \($0.type) \($0.shape)".asOneLine }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension RopeScaling {
  fileprivate var text: String {
    switch self {
    case .none: "none"
    case .linear(let factor): "linear, factor \(factor)"
    case .llama3(let factor, let low, let high, let original):
      "llama3, factor \(factor), low \(low), high \(high), original context \(original)"
    }
  }
}

extension Int {
  /// Digits in threes: 494,032,768.
  var grouped: String {
    let digits = Array(String(magnitude))
    var text = self < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text += "," }
      text.append(digit)
    }
    return text
  }

  /// Three or four digits with a decimal unit: "988 MB".
  var asBytes: String {
    var value = Double(self)
    var unit = 0
    let units = ["bytes", "kB", "MB", "GB", "TB", "PB", "EB"]
    while value >= 999.5, unit < units.count - 1 {
      value /= 1000
      unit += 1
    }
    guard unit > 0 else { return "\(self) bytes" }
    let digits = value < 9.995 ? 100.0 : value < 99.95 ? 10 : 1
    let rounded = (value * digits).rounded() / digits
    return (digits == 1 ? "\(Int(rounded))" : "\(rounded)") + " \(units[unit])"
  }
}

// MARK: - For a program

extension ModelReport {
  var json: JSONText {
    let c = configuration
    return [
      "path": .string(path),
      "format": .string(model.format),
      "architecture": .string(c.architecture.rawValue),
      "parameters": .integer(parameterCount),
      "vocabulary_size": .integer(c.vocabularySize),
      "tokenizer_size": .optional(tokenizerSize) { .integer($0) },
      "layers": .integer(c.layerCount),
      "hidden_size": .integer(c.hiddenSize),
      "intermediate_size": .integer(c.intermediateSize),
      "attention_heads": .integer(c.headCount),
      "key_value_heads": .integer(c.kvHeadCount),
      "head_size": .integer(c.headSize),
      "rope": ["theta": .double(c.rope.theta), "scaling": .string(c.rope.scaling.text)],
      "sliding_windows": .array(c.slidingWindows.map { .optional($0) { .integer($0) } }),
      "tied_embeddings": .boolean(c.tiedEmbeddings),
      "context_length": .integer(c.contextLength),
      "eos_token_ids": .integers(c.eosTokenIDs),
      "memory": [
        "checkpoint_bytes": .integer(model.byteCount),
        "weights_type": .string(weights.typeNames),
        "weights_bytes": .integer(weights.byteCount),
        "kv_cache_type": .string(cache.type.rawValue),
        "kv_cache_bytes_per_token": .integer(cache.bytesPerToken),
        "kv_cache_bytes_per_token_by_type": .object(
          cache.bytesPerTokenByType.map { .init(name: $0.type.rawValue, value: .integer($0.bytes)) }),
        "kv_cache_slots": .integer(cache.slotCount),
        "kv_cache_context": .integer(cache.contextLength),
        "kv_cache_bytes": .integer(cache.byteCount),
      ],
      "instruction_set": .string(context.instructionSet.rawValue),
      "runnable_instruction_sets": .array(InstructionSet.runnable.map { .string($0.rawValue) }),
      "threads": .integer(context.threadCount),
      "processors": .string(topology.reason),
      "tensors": .array(model.tensors.map(\.json)),
    ]
  }
}

extension StoredTensor {
  fileprivate var json: JSONText {
    ["name": .string(name), "dtype": .string(type), "shape": .integers(shape)]
  }
}
