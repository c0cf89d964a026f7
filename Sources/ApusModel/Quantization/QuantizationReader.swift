import ApusCheckpoint

/// Reads the entry `quantization` of a `config.json`.
struct QuantizationReader {
  let config: JSONObject

  /// - Throws: for a format that is not affine in 4 or 8 bits and groups of 32, 64 or 128, and for
  ///   `quantization_config`, under which other tools store other formats, unless it says the same.
  func quantization() throws(ConfigurationError) -> QuantizationConfiguration? {
    guard config.has("quantization") else {
      guard !config.has("quantization_config") else {
        throw unsupported(config, "quantization_config", "unquantized weights, or MLX's entry quantization")
      }
      return nil
    }
    guard [nil, config.value("quantization")].contains(config.value("quantization_config")) else {
      throw .contradiction(
        path: config.file, field: "quantization_config", found: config.summary("quantization_config"),
        other: "quantization, of which it should be a copy")
    }
    let entry = try field { () throws(CheckpointError) in try config.object("quantization") }
    let format = try format(entry)
    var modules: [String: AffineFormat?] = [:]
    for position in 0..<entry.members.count {
      let (key, value) = entry.members[position]
      if ["group_size", "bits", "mode"].contains(key) { continue }
      switch value {
      case .boolean(let isQuantized): modules[key] = .some(isQuantized ? format : nil)
      case .object:
        let own = try field { () throws(CheckpointError) in try entry.object(key) }
        modules[key] = try self.format(own)
      default: throw .file(entry.invalid(key, expected: "true, false, or an object with group_size and bits"))
      }
    }
    return QuantizationConfiguration(format: format, modules: modules)
  }

  private func format(_ entry: JSONObject) throws(ConfigurationError) -> AffineFormat {
    let mode = try field { () throws(CheckpointError) in try entry.stringIfPresent("mode") }
    guard mode == nil || mode == "affine" else { throw unsupported(entry, "mode", "affine") }
    let groupSize = try field { () throws(CheckpointError) in try entry.integer("group_size", in: 1...1 << 20)
    }
    guard [32, 64, 128].contains(groupSize) else { throw unsupported(entry, "group_size", "32, 64 or 128") }
    let bits = try field { () throws(CheckpointError) in try entry.integer("bits", in: 1...64) }
    guard bits == 4 || bits == 8 else { throw unsupported(entry, "bits", "4 or 8") }
    return AffineFormat(groupSize: groupSize, bits: bits)
  }

  private func unsupported(_ object: JSONObject, _ key: String, _ supported: String) -> ConfigurationError {
    .unsupported(
      path: object.file, field: object.fieldPath(key), found: object.summary(key), supported: supported)
  }
}
