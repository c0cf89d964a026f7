/// One metadata value of a GGUF file.
///
/// The format's integer types of 8 to 64 bits come in two cases: their width says nothing that a reader of the
/// value needs.
public enum GGUFValue: Sendable, Equatable {
  case unsigned(UInt64)
  case signed(Int64)
  case float(Float)
  case double(Double)
  case boolean(Bool)
  case string(String)
  /// Elements are all of one type, which an empty array does not remember.
  case array([GGUFValue])
}

extension GGUFValue {
  /// The value as an integer, nil for other types and for what `Int` cannot hold.
  var integer: Int? {
    switch self {
    case .unsigned(let value): Int(exactly: value)
    case .signed(let value): Int(exactly: value)
    default: nil
    }
  }

  /// The value as a number, nil for other types. Integers beyond 2^53 are rounded.
  var number: Double? {
    switch self {
    case .unsigned(let value): Double(value)
    case .signed(let value): Double(value)
    case .float(let value): Double(value)
    case .double(let value): value
    default: nil
    }
  }

  /// What an error message shows of the value: short whatever the file holds.
  var summary: String {
    switch self {
    case .unsigned(let value): "\(value)"
    case .signed(let value): "\(value)"
    case .float(let value): "\(value)"
    case .double(let value): "\(value)"
    case .boolean(let value): "\(value)"
    case .string(let value): quoted(value)
    case .array(let values): "an array of \(values.count)"
    }
  }
}

/// The types a metadata value may be announced to have, with the numbers the format gives them.
enum GGUFValueType: UInt32, CaseIterable {
  case uint8 = 0
  case int8 = 1
  case uint16 = 2
  case int16 = 3
  case uint32 = 4
  case int32 = 5
  case float32 = 6
  case bool = 7
  case string = 8
  case array = 9
  case uint64 = 10
  case int64 = 11
  case float64 = 12

  /// The fewest bytes that a value of the type takes: what bounds an array's length by the file's.
  var byteCountMin: Int {
    switch self {
    case .uint8, .int8, .bool: 1
    case .uint16, .int16: 2
    case .uint32, .int32, .float32: 4
    case .uint64, .int64, .float64, .string: 8
    // Element type and length.
    case .array: 12
    }
  }
}
