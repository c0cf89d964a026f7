import ApusCheckpoint

/// Reads which layers see only a window of the past.
struct SlidingWindowReader {
  let config: JSONObject
  let layerCount: Int

  private static let full = "full_attention"
  private static let sliding = "sliding_attention"

  /// One entry a layer; nil sees the whole past.
  func windows(_ architecture: ModelArchitecture) throws(ConfigurationError) -> [Int?] {
    switch architecture {
    case .qwen2, .qwen3: return try qwenWindows()
    case .mistral:
      // Every layer or none; transformers does not read `layer_types` here.
      let window = try self.window()
      try requireLayerTypes(window == nil ? Self.full : Self.sliding)
      return Array(repeating: window, count: layerCount)
    case .llama:
      try requireLayerTypes(Self.full)
      return Array(repeating: nil, count: layerCount)
    }
  }

  /// The layers `layer_types` names or, without it, those from `max_window_layers` on, when
  /// `use_sliding_window` asks for windows at all.
  private func qwenWindows() throws(ConfigurationError) -> [Int?] {
    let isUsed = try field { () throws(CheckpointError) in
      try config.booleanIfPresent("use_sliding_window")
    }
    let window = isUsed == true ? try self.window() : nil
    guard let types = try layerTypes() else {
      let first = try field { () throws(CheckpointError) in
        try config.integerIfPresent("max_window_layers", in: 0...Int.max)
      }
      return (0..<layerCount).map { $0 >= first ?? 28 ? window : nil }
    }
    guard window != nil || !types.contains(Self.sliding) else {
      throw contradiction("without use_sliding_window and sliding_window")
    }
    return types.map { $0 == Self.sliding ? window : nil }
  }

  /// `sliding_window`: null for none; 4096, as in transformers, where the file does not have the field.
  private func window() throws(ConfigurationError) -> Int? {
    if config.isNull("sliding_window") { return nil }
    return try field { () throws(CheckpointError) in
      try config.integerIfPresent("sliding_window", in: 1...Int(Int32.max))
    } ?? 4096
  }

  private func layerTypes() throws(ConfigurationError) -> [String]? {
    let key = "layer_types"
    guard let types = try field({ () throws(CheckpointError) in try config.stringsIfPresent(key) }) else {
      return nil
    }
    for type in types where type != Self.full && type != Self.sliding {
      throw .unsupported(
        path: config.file, field: key, found: quoted(type), supported: "\(Self.full) and \(Self.sliding)")
    }
    guard types.count == layerCount else { throw contradiction("num_hidden_layers \(layerCount)") }
    return types
  }

  private func requireLayerTypes(_ type: String) throws(ConfigurationError) {
    guard let types = try layerTypes(), !types.allSatisfy({ $0 == type }) else { return }
    throw contradiction("a model whose layers are all \(type)")
  }

  private func contradiction(_ other: String) -> ConfigurationError {
    .contradiction(
      path: config.file, field: "layer_types", found: config.summary("layer_types"), other: other)
  }
}
