import ApusCheckpoint
import Foundation
import Testing

@Suite struct SafetensorsTests {
  let folder = try! TemporaryFolder()

  func open(_ bytes: [UInt8]) throws -> Checkpoint {
    try Checkpoint.open(try folder.write("model.safetensors", bytes))
  }

  /// Expects a `.invalidTensor` for `tensor` whose message says what was found.
  func expectInvalidTensor(
    _ bytes: [UInt8], tensor: String = "w", found: String, at location: SourceLocation = #_sourceLocation
  ) throws {
    let error = #expect(throws: CheckpointError.self, sourceLocation: location) { try open(bytes) }
    guard case .invalidTensor(let path, tensor, let what, _)? = error else {
      Issue.record("unexpected \(String(describing: error))", sourceLocation: location)
      return
    }
    #expect(path.hasSuffix("model.safetensors"), sourceLocation: location)
    #expect(what.contains(found), "\(what)", sourceLocation: location)
  }

  func expectInvalidField(
    _ bytes: [UInt8], field: String, at location: SourceLocation = #_sourceLocation
  ) throws {
    let error = #expect(throws: CheckpointError.self, sourceLocation: location) { try open(bytes) }
    guard case .invalidField(_, field, _, _)? = error else {
      Issue.record("unexpected \(String(describing: error))", sourceLocation: location)
      return
    }
  }

  func expectJSONError(
    _ bytes: [UInt8], _ reason: JSONError.Reason, at location: SourceLocation = #_sourceLocation
  ) throws {
    let error = #expect(throws: CheckpointError.self, sourceLocation: location) { try open(bytes) }
    guard case .malformedJSON(_, let json)? = error else {
      Issue.record("unexpected \(String(describing: error))", sourceLocation: location)
      return
    }
    #expect(json.reason == reason, sourceLocation: location)
  }

  @Test func readsNamesShapesAndBytes() throws {
    let header = """
      {"__metadata__":{"format":"pt"},"b":{"dtype":"BF16","shape":[3],"data_offsets":[1,7]},\
      "a":{"dtype":"U8","shape":[],"data_offsets":[0,1]},\
      "empty":{"dtype":"F32","shape":[4,0],"data_offsets":[7,7]}}
      """
    let checkpoint = try open(SafetensorsFile.bytes(header: header, data: [9, 1, 2, 3, 4, 5, 6]))
    #expect(checkpoint.tensors.map(\.name) == ["a", "b", "empty"])
    #expect(checkpoint.metadata == [["format": "pt"]])
    #expect(checkpoint.byteCount == 7)
    let b = try #require(checkpoint["b"])
    #expect(b.dtype == .bf16)
    #expect(b.shape == [3])
    #expect(b.elementCount == 3)
    #expect(b.withUnsafeBytes { Array($0) } == [1, 2, 3, 4, 5, 6])
    let a = try #require(checkpoint["a"])
    #expect(a.shape == [])
    #expect(a.elementCount == 1)
    #expect(try #require(checkpoint["empty"]).elementCount == 0)
    #expect(checkpoint["c"] == nil)
  }

  @Test func tensorsOutliveTheirCheckpoint() throws {
    var checkpoint: Checkpoint? = try open(SafetensorsFile.oneTensor())
    let tensor = try #require(checkpoint?["w"])
    checkpoint = nil
    #expect(tensor.withUnsafeBytes { Array($0) } == Array(0..<24))
  }

  @Test func keepsNamesApartThatDifferInBytesAlone() throws {
    let checkpoint = try open(SafetensorsFile.named(["caf\u{E9}", "cafe\u{301}"]))
    #expect(checkpoint.tensors.count == 2)
    #expect(checkpoint["caf\u{E9}"]?.withUnsafeBytes { $0[0] } == 0)
    #expect(checkpoint["cafe\u{301}"]?.withUnsafeBytes { $0[0] } == 1)
  }

  @Test func acceptsAHeaderPaddedWithSpaces() throws {
    let header = "{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}     "
    #expect(try open(SafetensorsFile.bytes(header: header, data: [7])).tensors.count == 1)
  }

  @Test func acceptsAFileWithoutTensors() throws {
    #expect(try open(SafetensorsFile.bytes(header: "{}", data: [])).tensors.isEmpty)
  }

  // MARK: - Header

  @Test func refusesAnEmptyFile() throws {
    let error = #expect(throws: CheckpointError.self) { try open([]) }
    guard case .truncated(_, 0, _)? = error else { throw try #require(error) }
  }

  @Test(arguments: 1...7)
  func refusesAFileShorterThanTheHeaderLength(byteCount: Int) throws {
    let error = #expect(throws: CheckpointError.self) { try open(Array(repeating: 0, count: byteCount)) }
    guard case .truncated(_, byteCount, _)? = error else { throw try #require(error) }
  }

  @Test func refusesATruncatedHeader() throws {
    let error = #expect(throws: CheckpointError.self) { try open(Array(SafetensorsFile.oneTensor()[..<40])) }
    guard case .truncated(_, 40, _)? = error else { throw try #require(error) }
  }

  @Test(arguments: [100_000_001, UInt64(Int64.max), UInt64.max])
  func refusesAHeaderLengthBeyondTheLimit(length: UInt64) throws {
    try expectInvalidField(
      SafetensorsFile.bytes(length: length, header: Array("{}".utf8), data: []), field: "header length")
  }

  @Test func refusesAnEmptyHeader() throws {
    try expectInvalidField(SafetensorsFile.bytes(header: "", data: []), field: "header")
  }

  @Test(arguments: [" {}", "[]", "\u{FEFF}{}"])
  func refusesAHeaderThatDoesNotBeginWithABrace(header: String) throws {
    try expectInvalidField(SafetensorsFile.bytes(header: header, data: []), field: "header")
  }

  @Test func refusesTextAfterTheHeaderObject() throws {
    try expectJSONError(SafetensorsFile.bytes(header: "{}{}", data: []), .trailingBytes)
  }

  @Test func refusesAHeaderThatIsNotUTF8() throws {
    let header = Array("{\"".utf8) + [0xFF] + Array("\":1}".utf8)
    try expectJSONError(
      SafetensorsFile.bytes(length: UInt64(header.count), header: header, data: []), .invalidUTF8)
  }

  @Test func refusesDuplicateTensorNames() throws {
    try expectJSONError(SafetensorsFile.named(["w", "w"]), .duplicateKey("w"))
    try expectJSONError(SafetensorsFile.named(["w", "\\u0077"]), .duplicateKey("w"))
  }

  @Test(arguments: ["1", "null", "[]", "{\"format\":1}", "{\"format\":null}"])
  func refusesMetadataThatIsNotAMapOfStrings(metadata: String) throws {
    let header = "{\"__metadata__\":\(metadata)}"
    let error = #expect(throws: CheckpointError.self) {
      try open(SafetensorsFile.bytes(header: header, data: []))
    }
    guard case .invalidField(_, let field, _, _)? = error else { throw try #require(error) }
    #expect(field.hasPrefix("__metadata__"))
  }

  // MARK: - Entries

  @Test func refusesAnEmptyTensorName() throws {
    try expectInvalidTensor(SafetensorsFile.oneTensor(name: ""), tensor: "", found: "empty name")
  }

  @Test func refusesAnEntryThatIsNotAnObject() throws {
    try expectInvalidTensor(SafetensorsFile.bytes(header: "{\"w\":[1]}", data: []), found: "array")
  }

  @Test func refusesMissingAndUnknownFieldsOfAnEntry() throws {
    let header = "{\"w\":{\"dtype\":\"F32\",\"shape\":[0]}}"
    try expectInvalidTensor(SafetensorsFile.bytes(header: header, data: []), found: "data_offsets missing")
    try expectInvalidTensor(SafetensorsFile.oneTensor(extra: ",\"stride\":[1]"), found: "stride")
  }

  @Test(arguments: ["\"F33\"", "\"f32\"", "\"\"", "32", "null"])
  func refusesAnUnknownDType(dtype: String) throws {
    try expectInvalidTensor(SafetensorsFile.oneTensor(dtype: dtype), found: "dtype")
  }

  @Test(arguments: ["6", "[2,-3]", "[2,3.0]", "[\"6\"]", "[6e0]", "[99999999999999999999]", "null"])
  func refusesAShapeThatIsNotAnArrayOfSizes(shape: String) throws {
    try expectInvalidTensor(SafetensorsFile.oneTensor(shape: shape), found: "shape")
  }

  @Test func refusesMoreAxesThanTheLimit() throws {
    let shape = "[\(Array(repeating: "1", count: 7).joined(separator: ",")),6]"
    #expect(try open(SafetensorsFile.oneTensor(shape: shape)).tensors.count == 1)
    try expectInvalidTensor(
      SafetensorsFile.oneTensor(shape: shape.replacing("6", with: "1,6")), found: "9 axes")
  }

  @Test(arguments: ["[4294967296,4294967296]", "[9223372036854775807,2]", "[4611686018427387904]"])
  func refusesAShapeWhoseSizeOverflows(shape: String) throws {
    try expectInvalidTensor(SafetensorsFile.oneTensor(shape: shape), found: "shape")
  }

  @Test func acceptsAHugeAxisBesideAnEmptyOne() throws {
    let bytes = SafetensorsFile.oneTensor(
      shape: "[0,9223372036854775807]", offsets: "[0,0]", dataByteCount: 0)
    #expect(try open(bytes).tensors[0].elementCount == 0)
  }

  @Test func refusesSizesThatEndInsideAByte() throws {
    let half = SafetensorsFile.oneTensor(dtype: "\"F4\"", shape: "[3]", offsets: "[0,2]", dataByteCount: 2)
    try expectInvalidTensor(half, found: "shape [3] of F4")
    let whole = SafetensorsFile.oneTensor(dtype: "\"F4\"", shape: "[4]", offsets: "[0,2]", dataByteCount: 2)
    #expect(try open(whole).tensors[0].elementCount == 4)
  }

  @Test(arguments: ["[24,0]", "[0,25]", "[-1,24]", "[0]", "[0,24,24]", "[0,1e1]", "[0,18446744073709551616]"])
  func refusesOffsetsOutOfOrderOrBounds(offsets: String) throws {
    try expectInvalidTensor(SafetensorsFile.oneTensor(offsets: offsets), found: "data_offsets")
  }

  @Test func refusesASizeThatIsNotThatOfTheShape() throws {
    try expectInvalidTensor(SafetensorsFile.oneTensor(shape: "[2,2]"), found: "24 bytes")
    try expectInvalidTensor(SafetensorsFile.oneTensor(dtype: "\"F64\""), found: "24 bytes")
  }

  // MARK: - Layout

  func twoTensors(_ first: String, _ second: String, dataByteCount: Int) -> [UInt8] {
    let header = """
      {"a":{"dtype":"U8","shape":[4],"data_offsets":\(first)},\
      "b":{"dtype":"U8","shape":[4],"data_offsets":\(second)}}
      """
    return SafetensorsFile.bytes(header: header, data: Array(repeating: 1, count: dataByteCount))
  }

  @Test func acceptsTensorsInAnyOrderOfTheHeader() throws {
    #expect(try open(twoTensors("[4,8]", "[0,4]", dataByteCount: 8)).tensors.count == 2)
  }

  @Test func refusesOverlappingTensors() throws {
    try expectInvalidTensor(
      twoTensors("[0,4]", "[3,7]", dataByteCount: 7), tensor: "b", found: "beginning at 3")
    try expectInvalidTensor(
      twoTensors("[0,4]", "[0,4]", dataByteCount: 4), tensor: "b", found: "beginning at 0")
  }

  @Test func refusesHolesBetweenTensors() throws {
    try expectInvalidTensor(
      twoTensors("[0,4]", "[5,9]", dataByteCount: 9), tensor: "b", found: "beginning at 5")
    try expectInvalidTensor(
      twoTensors("[1,5]", "[5,9]", dataByteCount: 9), tensor: "a", found: "beginning at 1")
  }

  @Test func refusesBytesAfterTheLastTensor() throws {
    try expectInvalidField(twoTensors("[0,4]", "[4,8]", dataByteCount: 9), field: "data")
    try expectInvalidField(SafetensorsFile.bytes(header: "{}", data: [0]), field: "data")
  }

  @Test func refusesATruncatedBuffer() throws {
    try expectInvalidTensor(twoTensors("[0,4]", "[4,8]", dataByteCount: 7), tensor: "b", found: "[4, 8]")
  }

  @Test func knowsEveryDTypeOfTheFormat() throws {
    // Bits of one element, as the format's reference implementation has them.
    let bits = [
      "BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8,
      "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16,
      "I32": 32, "U32": 32, "F32": 32, "C64": 64, "F64": 64, "I64": 64, "U64": 64,
    ]
    #expect(Set(TensorDType.allCases.map(\.rawValue)) == Set(bits.keys))
    for (name, bitCount) in bits {
      let bytes = SafetensorsFile.oneTensor(
        dtype: "\"\(name)\"", shape: "[4]", offsets: "[0,\(bitCount / 2)]", dataByteCount: bitCount / 2)
      let tensor = try open(bytes).tensors[0]
      #expect(tensor.dtype.rawValue == name)
      #expect(tensor.elementCount == 4)
      #expect(tensor.dtype.isWeight == ["F32", "F16", "BF16"].contains(name))
    }
  }
}
