/// The metadata of a GGUF file, read through getters that check types.
///
/// Every error names the file, the key, what was found and what was expected. Keys are compared by their bytes.
public struct GGUFMetadata: Sendable {
  /// The file the metadata came from, as errors name it.
  public let path: String
  /// Keys in the order of the file.
  public private(set) var keys: [String] = []
  private var values: [ExactString: GGUFValue] = [:]

  init(path: String) { self.path = path }

  /// Adds a value; false, and nothing changed, when the key is there already.
  mutating func append(_ key: String, _ value: GGUFValue) -> Bool {
    guard values.updateIfAbsent(ExactString(key), value) else { return false }
    keys.append(key)
    return true
  }

  public subscript(key: String) -> GGUFValue? { values[ExactString(key)] }

  /// Whether the file has the key.
  public func has(_ key: String) -> Bool { self[key] != nil }

  /// The value as an error message shows it: short whatever the file holds.
  public func summary(_ key: String) -> String { self[key]?.summary ?? "absent" }

  /// The error that this key's value is not what was expected.
  public func invalid(_ key: String, expected: String) -> CheckpointError {
    guard let value = self[key] else { return .missingField(path: path, field: key, expected: expected) }
    return .invalidField(path: path, field: key, found: value.summary, expected: expected)
  }
}

extension Dictionary {
  fileprivate mutating func updateIfAbsent(_ key: Key, _ value: Value) -> Bool {
    guard self[key] == nil else { return false }
    self[key] = value
    return true
  }
}

// MARK: - Typed getters

extension GGUFMetadata {
  /// An integer inside `range`, whatever width the file gave it.
  public func integerIfPresent(
    _ key: String, in range: ClosedRange<Int>
  ) throws(CheckpointError) -> Int? {
    guard let value = self[key] else { return nil }
    guard let integer = value.integer, range.contains(integer) else {
      throw invalid(key, expected: "an integer from \(range.lowerBound) to \(range.upperBound)")
    }
    return integer
  }

  public func integer(_ key: String, in range: ClosedRange<Int>) throws(CheckpointError) -> Int {
    guard let value = try integerIfPresent(key, in: range) else {
      throw invalid(key, expected: "an integer from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  /// A finite number, integer or not.
  public func numberIfPresent(_ key: String) throws(CheckpointError) -> Double? {
    guard let value = self[key] else { return nil }
    guard let number = value.number, number.isFinite else { throw invalid(key, expected: "a finite number") }
    return number
  }

  public func booleanIfPresent(_ key: String) throws(CheckpointError) -> Bool? {
    guard let value = self[key] else { return nil }
    guard case .boolean(let boolean) = value else { throw invalid(key, expected: "true or false") }
    return boolean
  }

  public func stringIfPresent(_ key: String) throws(CheckpointError) -> String? {
    guard let value = self[key] else { return nil }
    guard case .string(let string) = value else { throw invalid(key, expected: "a string") }
    return string
  }

  public func string(_ key: String) throws(CheckpointError) -> String {
    guard let string = try stringIfPresent(key) else { throw invalid(key, expected: "a string") }
    return string
  }

  public func stringsIfPresent(_ key: String) throws(CheckpointError) -> [String]? {
    try elementsIfPresent(key, "string") { if case .string(let string) = $0 { string } else { nil } }
  }

  /// Integers that `Int` can hold.
  public func integersIfPresent(_ key: String) throws(CheckpointError) -> [Int]? {
    try elementsIfPresent(key, "integer") { $0.integer }
  }

  /// Numbers, finite or not, rounded to floats.
  public func floatsIfPresent(_ key: String) throws(CheckpointError) -> [Float]? {
    try elementsIfPresent(key, "number") { $0.number.map { Float($0) } }
  }

  private func elementsIfPresent<Element>(
    _ key: String, _ kind: String, _ element: (GGUFValue) -> Element?
  ) throws(CheckpointError) -> [Element]? {
    guard let value = self[key] else { return nil }
    guard case .array(let values) = value else { throw invalid(key, expected: "an array of \(kind)s") }
    var elements: [Element] = []
    elements.reserveCapacity(values.count)
    for (index, value) in values.enumerated() {
      guard let element = element(value) else {
        throw .invalidField(
          path: path, field: "\(key)[\(index)]", found: value.summary,
          expected: "\(kind == "integer" ? "an" : "a") \(kind)")
      }
      elements.append(element)
    }
    return elements
  }
}
