/// The bytes of a safetensors file, right or wrong as a test wants them.
enum SafetensorsFile {
  /// Length, header and data, whatever they say.
  static func bytes(header: String, data: [UInt8]) -> [UInt8] {
    bytes(length: UInt64(header.utf8.count), header: Array(header.utf8), data: data)
  }

  static func bytes(length: UInt64, header: [UInt8], data: [UInt8]) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + header + data
  }

  /// A file of one tensor `w`, F32 of shape [2, 3], with what replaces its header entry's parts.
  static func oneTensor(
    name: String = "w", dtype: String = "\"F32\"", shape: String = "[2,3]", offsets: String = "[0,24]",
    extra: String = "", dataByteCount: Int = 24
  ) -> [UInt8] {
    bytes(
      header: "{\"\(name)\":{\"dtype\":\(dtype),\"shape\":\(shape),\"data_offsets\":\(offsets)\(extra)}}",
      data: (0..<dataByteCount).map { UInt8(truncatingIfNeeded: $0) })
  }

  /// A file of byte tensors with the given names, one element each.
  static func named(_ names: [String]) -> [UInt8] {
    let entries = names.enumerated().map { position, name in
      "\"\(name)\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[\(position),\(position + 1)]}"
    }
    return bytes(
      header: "{\(entries.joined(separator: ","))}", data: names.indices.map { UInt8(truncatingIfNeeded: $0) }
    )
  }
}
