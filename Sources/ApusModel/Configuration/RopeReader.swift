import ApusCheckpoint

/// Reads the rotary embedding's parameters in both of their styles: `rope_theta` beside `rope_scaling`, as
/// transformers 4 writes them, or all in `rope_parameters`, as version 5 does. Where a value is given more
/// than once, all must agree.
struct RopeReader {
  let config: JSONObject

  func rope(contextLength: Int) throws(ConfigurationError) -> RopeConfiguration {
    var groups: [JSONObject] = []
    for key in ["rope_parameters", "rope_scaling"] {
      if let group = try field({ () throws(CheckpointError) in try config.objectIfPresent(key) }) {
        groups.append(group)
      }
    }
    for group in groups {
      for key in ["full_attention", "sliding_attention", "mrope_section"] where group.has(key) {
        throw unsupported(group, key, "one set of rotary parameters for all layers")
      }
    }
    let rotated = try number("partial_rotary_factor", in: groups + [config])
    guard rotated == nil || rotated?.value == 1 else {
      throw unsupported(rotated?.source ?? config, "partial_rotary_factor", "1")
    }
    let theta = try number("rope_theta", in: groups + [config])
    let value = theta?.value ?? 10000
    guard Float(value).isFinite, Float(value) > 0 else {
      throw invalid(theta?.source, "rope_theta", "a positive number that a float can hold")
    }
    return RopeConfiguration(theta: value, scaling: try scaling(groups, contextLength: contextLength))
  }

  private func scaling(
    _ groups: [JSONObject], contextLength: Int
  ) throws(ConfigurationError) -> RopeScaling {
    var type: (name: String, source: JSONObject, key: String)?
    for group in groups {
      for key in ["rope_type", "type"] {
        guard let name = try field({ () throws(CheckpointError) in try group.stringIfPresent(key) }) else {
          continue
        }
        guard type == nil || type?.name == name else {
          throw contradiction(group, key, type.map { "\($0.source.fieldPath($0.key)) \($0.name)" } ?? "")
        }
        type = (name, group, key)
      }
    }
    guard let type else {
      // Parameters of a scaling without its name: transformers would take "default" and ignore them.
      for group in groups where group.has("factor") { throw invalid(group, "rope_type", "a scaling's name") }
      return .none
    }
    switch type.name {
    case "default": return .none
    case "linear": return .linear(factor: try factor(groups))
    case "llama3": return try llama3(groups, contextLength: contextLength)
    default: throw unsupported(type.source, type.key, "default, linear and llama3")
    }
  }

  private func factor(_ groups: [JSONObject]) throws(ConfigurationError) -> Double {
    let factor = try number("factor", in: groups)
    guard let value = factor?.value, value >= 1, Float(value).isFinite else {
      throw invalid(factor?.source ?? groups.first, "factor", "a number of at least 1")
    }
    return value
  }

  private func llama3(
    _ groups: [JSONObject], contextLength: Int
  ) throws(ConfigurationError) -> RopeScaling {
    let factor = try self.factor(groups)
    let low = try number("low_freq_factor", in: groups)
    guard let lowFactor = low?.value, lowFactor > 0, Float(lowFactor) > 0, Float(lowFactor).isFinite else {
      throw invalid(low?.source ?? groups.first, "low_freq_factor", "a positive number")
    }
    let high = try number("high_freq_factor", in: groups)
    guard let highFactor = high?.value, Float(highFactor) > Float(lowFactor), Float(highFactor).isFinite
    else {
      throw invalid(
        high?.source ?? groups.first, "high_freq_factor", "a number above low_freq_factor \(lowFactor)")
    }
    let key = "original_max_position_embeddings"
    let original = try number(key, in: groups + [config])
    // As in transformers, the model's own length where the field is absent.
    guard let length = Int(exactly: original?.value ?? Double(contextLength)), length >= 1, length <= 1 << 27
    else { throw invalid(original?.source, key, "an integer from 1 to \(1 << 27)") }
    return .llama3(
      factor: factor, lowFrequencyFactor: lowFactor, highFrequencyFactor: highFactor,
      originalContextLength: length)
  }

  /// The field's value and where it was found; all of `sources` that have it must agree.
  private func number(
    _ key: String, in sources: [JSONObject]
  ) throws(ConfigurationError) -> (value: Double, source: JSONObject)? {
    var found: (value: Double, source: JSONObject)?
    for source in sources {
      guard let value = try field({ () throws(CheckpointError) in try source.numberIfPresent(key) }) else {
        continue
      }
      if let found, found.value != value {
        throw contradiction(source, key, "\(found.source.fieldPath(key)) \(found.value)")
      }
      found = found ?? (value, source)
    }
    return found
  }

  private func invalid(_ source: JSONObject?, _ key: String, _ expected: String) -> ConfigurationError {
    .file((source ?? config).invalid(key, expected: expected))
  }

  private func unsupported(_ source: JSONObject, _ key: String, _ supported: String) -> ConfigurationError {
    .unsupported(
      path: config.file, field: source.fieldPath(key), found: source.summary(key), supported: supported)
  }

  private func contradiction(_ source: JSONObject, _ key: String, _ other: String) -> ConfigurationError {
    .contradiction(
      path: config.file, field: source.fieldPath(key), found: source.summary(key), other: other)
  }
}
