public import Foundation

/// A JSON object from a named file, read through getters that check types.
///
/// Every error names the file, the field's full path inside it (`rope_scaling.factor`), what was found and
/// what was expected. A field whose value is `null` counts as absent.
public struct JSONObject: Sendable, Equatable {
  /// The file the object came from, as errors name it.
  public let file: String
  /// Where in the file: empty for the outermost object, else the path of fields with dots between.
  public let path: String
  public let members: JSONMembers

  /// The most bytes a configuration file may have.
  public static let fileByteCountMax = 4 << 20

  /// Reads a configuration file such as `config.json`, whose outermost value must be an object.
  public static func read(
    _ url: URL, byteCountMax: Int = fileByteCountMax
  ) throws(CheckpointError) -> JSONObject {
    let file = try MappedFile(path: url.path)
    guard file.bytes.count <= byteCountMax else {
      throw .tooLarge(path: url.path, byteCount: file.bytes.count, limit: byteCountMax)
    }
    return try withExtendedLifetime(file) { () throws(CheckpointError) in
      try JSONObject(parsing: file.bytes, file: url.path)
    }
  }

  /// Parses the object in `bytes`; `file` is the name errors give it.
  public init(parsing bytes: UnsafeRawBufferPointer, file: String) throws(CheckpointError) {
    let value = try JSONValue(parsing: bytes, file: file)
    guard case .object(let members) = value else {
      throw .invalidField(path: file, field: "(whole file)", found: value.summary, expected: "a JSON object")
    }
    self.init(file: file, path: "", members: members)
  }

  init(file: String, path: String, members: JSONMembers) {
    self.file = file
    self.path = path
    self.members = members
  }

  /// Whether the field is there with a value other than null.
  public func has(_ key: String) -> Bool { value(key) != nil }

  /// The field's value, nil where it is absent or null.
  public func value(_ key: String) -> JSONValue? {
    guard let value = members[key], value != .null else { return nil }
    return value
  }

  /// Whether the file says `null` for the field, which some families take for a setting of its own.
  public func isNull(_ key: String) -> Bool { members[key] == .null }

  /// The field's path from the outermost object.
  public func fieldPath(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  /// The field's value as an error message shows it: short whatever the file holds.
  public func summary(_ key: String) -> String { members[key]?.summary ?? "absent" }

  /// The error that this field's value is not what was expected.
  public func invalid(_ key: String, expected: String) -> CheckpointError {
    guard let value = members[key] else {
      return .missingField(path: file, field: fieldPath(key), expected: expected)
    }
    return .invalidField(path: file, field: fieldPath(key), found: value.summary, expected: expected)
  }
}

// MARK: - Typed getters

extension JSONObject {
  /// An integer inside `range`. A number written with a fraction or an exponent is not an integer.
  public func integerIfPresent(
    _ key: String, in range: ClosedRange<Int> = Int.min...Int.max
  ) throws(CheckpointError) -> Int? {
    guard let value = value(key) else { return nil }
    guard case .integer(let integer) = value, range.contains(integer) else {
      throw invalid(key, expected: JSONObject.describe(range))
    }
    return integer
  }

  public func integer(
    _ key: String, in range: ClosedRange<Int> = Int.min...Int.max
  ) throws(CheckpointError) -> Int {
    guard let value = try integerIfPresent(key, in: range) else {
      throw invalid(key, expected: JSONObject.describe(range))
    }
    return value
  }

  /// A finite number, written as an integer or not.
  public func numberIfPresent(_ key: String) throws(CheckpointError) -> Double? {
    guard let value = value(key) else { return nil }
    switch value {
    case .integer(let integer): return Double(integer)
    case .number(let number): return number
    default: throw invalid(key, expected: "a number")
    }
  }

  public func booleanIfPresent(_ key: String) throws(CheckpointError) -> Bool? {
    guard let value = value(key) else { return nil }
    guard case .boolean(let boolean) = value else { throw invalid(key, expected: "true or false") }
    return boolean
  }

  public func stringIfPresent(_ key: String) throws(CheckpointError) -> String? {
    guard let value = value(key) else { return nil }
    guard case .string(let string) = value else { throw invalid(key, expected: "a string") }
    return string
  }

  public func string(_ key: String) throws(CheckpointError) -> String {
    guard let string = try stringIfPresent(key) else { throw invalid(key, expected: "a string") }
    return string
  }

  public func stringsIfPresent(_ key: String) throws(CheckpointError) -> [String]? {
    guard let values = try arrayIfPresent(key) else { return nil }
    var strings: [String] = []
    for value in values {
      guard case .string(let string) = value else { throw invalid(key, expected: "an array of strings") }
      strings.append(string)
    }
    return strings
  }

  public func arrayIfPresent(_ key: String) throws(CheckpointError) -> [JSONValue]? {
    guard let value = value(key) else { return nil }
    guard case .array(let values) = value else { throw invalid(key, expected: "an array") }
    return values
  }

  public func objectIfPresent(_ key: String) throws(CheckpointError) -> JSONObject? {
    guard let value = value(key) else { return nil }
    guard case .object(let members) = value else { throw invalid(key, expected: "an object") }
    return JSONObject(file: file, path: fieldPath(key), members: members)
  }

  public func object(_ key: String) throws(CheckpointError) -> JSONObject {
    guard let object = try objectIfPresent(key) else { throw invalid(key, expected: "an object") }
    return object
  }

  private static func describe(_ range: ClosedRange<Int>) -> String {
    switch (range.lowerBound, range.upperBound) {
    case (Int.min, Int.max): "an integer"
    case (let low, Int.max): "an integer of at least \(low)"
    case (let low, let high): "an integer from \(low) to \(high)"
    }
  }
}
