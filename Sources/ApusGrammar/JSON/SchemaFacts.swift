import ApusCheckpoint

/// Parts of a schema that all must hold, by their places. None: anything holds.
struct SchemaSet: Hashable {
  private(set) var pointers: [JSONPointer]

  static let any = SchemaSet([])

  init(_ pointers: [JSONPointer]) { self.pointers = Set(pointers).sorted() }

  func union(_ other: SchemaSet) -> SchemaSet { SchemaSet(pointers + other.pointers) }
}

/// What a schema says of a value inside another.
enum SchemaChild: Hashable {
  /// There may be none.
  case never
  case set(SchemaSet)

  func intersection(_ other: SchemaChild) -> SchemaChild {
    guard case .set(let left) = self, case .set(let right) = other else { return .never }
    return .set(left.union(right))
  }
}

struct JSONTypes: OptionSet, Hashable {
  let rawValue: UInt8

  static let null = JSONTypes(rawValue: 1)
  static let boolean = JSONTypes(rawValue: 2)
  static let integer = JSONTypes(rawValue: 4)
  /// Numbers that are no integers.
  static let fraction = JSONTypes(rawValue: 8)
  static let string = JSONTypes(rawValue: 16)
  static let array = JSONTypes(rawValue: 32)
  static let object = JSONTypes(rawValue: 64)
  static let number: JSONTypes = [.integer, .fraction]
  static let all = JSONTypes(rawValue: 127)

  init(rawValue: UInt8) { self.rawValue = rawValue }

  /// By the name in a schema.
  init?(named name: String) {
    let names: [String: JSONTypes] = [
      "null": .null, "boolean": .boolean, "integer": .integer, "number": .number, "string": .string,
      "array": .array, "object": .object,
    ]
    guard let types = names[name] else { return nil }
    self = types
  }
}

/// One way for a value to satisfy a schema: bounds for each type, all of which hold at once.
struct SchemaFacts: Hashable {
  struct Property: Hashable {
    var name: ByteString
    var child: SchemaChild
  }

  var types = JSONTypes.all
  /// Whether a schema named types; if none did, the types that the other facts are about are meant.
  var namesTypes = false
  /// The values of `enum` and `const`.
  var values: [JSONLiteral]?
  var lower: NumberBound?
  var upper: NumberBound?
  var minLength = 0
  var maxLength: Int?
  /// Patterns that must match somewhere, and those of formats.
  var patterns: [StringPattern] = []
  var prefixItems: [SchemaChild] = []
  /// nil: not said.
  var items: SchemaChild?
  var minItems = 0
  var maxItems: Int?
  var properties: [Property] = []
  var required: [ByteString] = []
  /// nil: not said.
  var additional: SchemaChild?

  /// Types of which the facts say something beside the type.
  private var meantTypes: JSONTypes {
    var types: JSONTypes = []
    if lower != nil || upper != nil { types.formUnion(.number) }
    if minLength > 0 || maxLength != nil || !patterns.isEmpty { types.insert(.string) }
    if !prefixItems.isEmpty || items != nil || minItems > 0 || maxItems != nil { types.insert(.array) }
    if !properties.isEmpty || !required.isEmpty || additional != nil { types.insert(.object) }
    return types
  }

  /// Without a type, a schema with `properties` means an object, one with `items` an array, and so on.
  var effectiveTypes: JSONTypes {
    guard !namesTypes, values == nil else { return types }
    let meant = types.intersection(meantTypes)
    return meant.isEmpty ? types : meant
  }

  /// What holds for a property: its own schema, or that of additional ones.
  private func child(_ name: ByteString) -> SchemaChild {
    properties.first { $0.name == name }?.child ?? additional ?? .set(.any)
  }

  private func item(_ index: Int) -> SchemaChild {
    index < prefixItems.count ? prefixItems[index] : items ?? .set(.any)
  }

  /// What holds where both hold; nil if nothing can.
  func intersection(_ other: SchemaFacts) -> SchemaFacts? {
    var result = self
    result.types.formIntersection(other.types)
    result.namesTypes = namesTypes || other.namesTypes
    result.values =
      if let values, let others = other.values { values.filter { others.contains($0) } } else {
        values ?? other.values
      }
    result.lower = [lower, other.lower].compactMap { $0 }.max { $0.isWeakerLower(than: $1) }
    result.upper = [upper, other.upper].compactMap { $0 }.max { $0.isWeakerUpper(than: $1) }
    result.minLength = max(minLength, other.minLength)
    result.maxLength = [maxLength, other.maxLength].compactMap { $0 }.min()
    result.patterns = patterns + other.patterns.filter { !patterns.contains($0) }
    result.prefixItems = (0..<max(prefixItems.count, other.prefixItems.count)).map {
      item($0).intersection(other.item($0))
    }
    result.items =
      if let items, let others = other.items { items.intersection(others) } else { items ?? other.items }
    result.minItems = max(minItems, other.minItems)
    result.maxItems = [maxItems, other.maxItems].compactMap { $0 }.min()
    let names = properties.map(\.name)
    result.properties = (names + other.properties.map(\.name).filter { !names.contains($0) }).map {
      Property(name: $0, child: child($0).intersection(other.child($0)))
    }
    result.required = required + other.required.filter { !required.contains($0) }
    result.additional =
      if let additional, let others = other.additional { additional.intersection(others) } else {
        additional ?? other.additional
      }
    return result.types.isEmpty || result.values?.isEmpty == true ? nil : result
  }
}

/// Text compared by its bytes, as JSON's keys are.
struct ByteString: Hashable, CustomStringConvertible {
  var bytes: [UInt8]

  init(_ text: String) { bytes = Array(text.utf8) }

  var text: String { String(decoding: bytes, as: UTF8.self) }
  var description: String { shown(text) }
}

/// A pattern for strings.
struct StringPattern: Hashable {
  var source: ByteString
  /// It describes the whole string: a format's.
  var isWhole: Bool
}

/// A JSON value by the one way it is spelled here: no white space but the separators', numbers as in the
/// schema.
struct JSONLiteral: Hashable {
  var spelled: [UInt8]
  var value: JSONValue

  init(_ value: JSONValue) {
    self.value = value
    spelled = value.spelled
  }

  static func == (left: JSONLiteral, right: JSONLiteral) -> Bool { left.spelled == right.spelled }

  func hash(into hasher: inout Hasher) { hasher.combine(spelled) }

  var type: JSONTypes {
    switch value {
    case .null: .null
    case .boolean: .boolean
    case .integer: .integer
    case .number(let number): number.rounded() == number ? .integer : .fraction
    case .string: .string
    case .array: .array
    case .object: .object
    }
  }
}

extension JSONValue {
  var spelled: [UInt8] {
    switch self {
    case .null: Array("null".utf8)
    case .boolean(let value): Array("\(value)".utf8)
    case .integer(let value): Array("\(value)".utf8)
    case .number(let value): Array("\(value)".utf8)
    case .string(let text): Array("\"".utf8) + JSONSpelling.spelled(text) + Array("\"".utf8)
    case .array(let values):
      Array("[".utf8) + Array(values.map(\.spelled).joined(separator: ",".utf8)) + Array("]".utf8)
    case .object(let members):
      Array("{".utf8)
        + Array(
          (0..<members.count).map { index in
            let (key, value) = members[index]
            return JSONValue.string(key).spelled + Array(":".utf8) + value.spelled
          }.joined(separator: ",".utf8)) + Array("}".utf8)
    }
  }
}
