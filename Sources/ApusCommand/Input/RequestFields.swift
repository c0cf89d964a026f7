import ApusCheckpoint

extension JSONObject {
  /// The object of one line; `place` is what errors call it.
  static func parse(line: String, place: String) throws -> JSONObject {
    var line = line
    return try line.withUTF8 { bytes in
      try JSONObject(parsing: UnsafeRawBufferPointer(bytes), file: place)
    }
  }

  /// Refuses a field that nothing here reads: a misspelt one would silently do nothing.
  func refuseFields(otherThan known: [String]) throws(CommandFailure) {
    for key in members.keys where !known.contains(key) {
      throw CommandFailure(
        "\(file): unknown field \(quoted(key)); expected \(known.joined(separator: ", "))")
    }
  }

  /// An array of token ids, nil where the field is absent.
  func tokenIDsIfPresent(_ key: String) throws -> [Int32]? {
    try arrayIfPresent(key).map { try $0.tokenIDs(place: "\(file): field \(key)") }
  }
}

extension [JSONValue] {
  /// These values as token ids. Whether a model has them is for who knows the model.
  func tokenIDs(place: String) throws(CommandFailure) -> [Int32] {
    var ids: [Int32] = []
    ids.reserveCapacity(count)
    for (index, value) in enumerated() {
      guard case .integer(let integer) = value, let id = Int32(exactly: integer), id >= 0 else {
        throw CommandFailure("\(place): element \(index) is no token id; expected integers from 0")
      }
      ids.append(id)
    }
    return ids
  }
}
