import ApusCheckpoint
import Foundation
import TestSupport
import Testing

/// Files that break one rule each.
@Suite struct GGUFRefusalTests {
  let folder = try! TemporaryFolder()

  /// What the refusal of `bytes` says after the file's name.
  func refusal(_ bytes: [UInt8]) throws -> String {
    let url = try folder.write("model.gguf", bytes)
    do throws(CheckpointError) {
      _ = try GGUFFile(url)
      return "opened"
    } catch {
      return String(error.description.dropFirst(url.path.count + 2))
    }
  }

  /// A file of the given tensors over `dataByteCount` bytes.
  func refusal(_ tensors: [GGUFBytes.Tensor], dataByteCount: Int = 64) throws -> String {
    try refusal(GGUFBytes(tensors: tensors, dataByteCount: dataByteCount).bytes)
  }

  func refusal(_ pairs: [GGUFBytes.Pair]) throws -> String { try refusal(GGUFBytes(pairs: pairs).bytes) }

  @Test func namesWrongMagicAndVersion() throws {
    #expect(try refusal([UInt8]()).contains("for the magic number"))
    #expect(
      try refusal(GGUFBytes(magic: Array("GGML".utf8)).bytes)
        == "field magic number is 0x4c4d4747; expected GGUF")
    #expect(
      try refusal(GGUFBytes(version: 1).bytes)
        == "field version is 1; expected 2 or 3 in little-endian order")
    #expect(
      try refusal(GGUFBytes(version: 3 << 24).bytes)
        == "field version is 3 in big-endian order; expected 2 or 3 in little-endian order")
  }

  @Test func refusesCountsThatTheFileCannotHold() throws {
    #expect(try refusal(GGUFBytes(tensorCount: .max).bytes).hasPrefix("field tensor count is 18446744"))
    #expect(try refusal(GGUFBytes(pairCount: 1 << 40).bytes).hasPrefix("field metadata count is 1099511"))
    #expect(try refusal(GGUFBytes(tensorCount: 60_000).bytes).contains("60000 times 33 after byte 24"))
    #expect(try refusal(GGUFBytes(pairCount: 60_000).bytes).contains("60000 times 14 after byte 24"))
  }

  @Test func refusesStringsThatTheFileCannotHold() throws {
    let long = GGUFBytes.little(UInt64.max) + [65, 66]
    #expect(
      try refusal([.init(key: "k", type: 8, value: long)]).hasPrefix(
        "field k is a string of 18446744073709551615 bytes; expected at most"))
    let short = GGUFBytes.little(UInt64(9)) + [65, 66]
    #expect(try refusal([.init(key: "k", type: 8, value: short)]).contains("9 times 1 after byte 45, for k,"))
    let notText = GGUFBytes.little(UInt64(2)) + [0xC3, 0x28]
    #expect(
      try refusal([.init(key: "k", type: 8, value: notText)])
        == "field k is a string at byte 45 that is not UTF-8; expected UTF-8")
    let key = String(repeating: "k", count: 65536)
    #expect(
      try refusal([.uint32(key, 1)])
        == "field metadata key 0 is a string of 65536 bytes; expected at most 65535")
  }

  @Test func refusesUnknownTypesAndValues() throws {
    #expect(
      try refusal([.init(key: "kk", type: 13, value: [1])])
        == "field the type of kk is 13; expected a type from 0 to 12")
    #expect(
      try refusal([.init(key: "kkk", type: 7, value: [2])]) == "field kkk is 2; expected a bool, 0 or 1")
    #expect(
      try refusal([.array("a", of: 7, count: 3, [0, 1, 9])]) == "field a[2] is 9; expected a bool, 0 or 1")
    #expect(
      try refusal([.array("a", of: 99, count: 1, [0, 1, 9])])
        == "field the type of a is 99; expected a type from 0 to 12")
  }

  @Test func refusesDuplicateAndEmptyKeys() throws {
    #expect(
      try refusal([.uint32("k", 1), .string("k", "v")])
        == "field k is the key a second time; expected each key once")
    #expect(try refusal([.string("", "value")]) == "field metadata key 0 is an empty string; expected a key")
    // Composed and decomposed spellings of one letter are two keys.
    #expect(try refusal([.uint32("\u{E9}", 1), .uint32("e\u{301}", 2)]) == "opened")
  }

  @Test func boundsArrays() throws {
    #expect(
      try refusal([.array("a", of: 0, count: .max, [1])]).hasPrefix(
        "field a is an array of 18446744073709551615; expected at most"))
    #expect(try refusal([.array("a", of: 10, count: 400_000, [1])]).contains("400000 times 8 after byte"))
    // Empty arrays of arrays take 12 bytes each and no more.
    var inner = GGUFBytes.little(UInt32(4)) + GGUFBytes.little(UInt64(0))
    for _ in 0..<3 { inner = GGUFBytes.little(UInt32(9)) + GGUFBytes.little(UInt64(1)) + inner }
    #expect(try refusal([.init(key: "a", type: 9, value: inner)]) == "opened")
    inner = GGUFBytes.little(UInt32(9)) + GGUFBytes.little(UInt64(1)) + inner
    #expect(
      try refusal([.init(key: "a", type: 9, value: inner)])
        == "field a[0][0][0][0] is an array; expected at most 4 nested arrays")
  }

  @Test(arguments: [0, 1, 7, 24, 33, 1 << 21])
  func refusesAlignmentsThatAreNone(alignment: Int) throws {
    #expect(
      try refusal([.uint32("general.alignment", UInt32(alignment))])
        == "field general.alignment is \(alignment); expected a power of two from 8 to 1048576")
  }

  @Test func refusesUnknownTensorTypes() throws {
    let message = try refusal([.init(type: 10)])
    #expect(message.hasPrefix("tensor \"w\" has type 10; expected one of 0 (F32), 1 (F16), 2 (Q4_0)"))
  }

  @Test func refusesShapesThatAreNone() throws {
    #expect(try refusal([.init(sizes: [])]) == "tensor \"w\" has 0 axes; expected 1 to 4")
    #expect(try refusal([.init(sizes: [1, 1, 1, 1, 1])]) == "tensor \"w\" has 5 axes; expected 1 to 4")
    #expect(try refusal([.init(rank: .max)]) == "tensor \"w\" has 4294967295 axes; expected 1 to 4")
    #expect(
      try refusal([.init(sizes: [3, 0])]).hasPrefix("tensor \"w\" has size 0 of axis 1; expected 1 to"))
    #expect(try refusal([.init(sizes: [.max])]).hasPrefix("tensor \"w\" has size 18446744073709551615"))
    #expect(
      try refusal([.init(sizes: [33], type: 8)])
        == "tensor \"w\" has sizes [33] of Q8_0; expected the first a multiple of 32, the elements of a block"
    )
    #expect(
      try refusal([.init(sizes: [128, 3], type: 12)])
        == "tensor \"w\" has sizes [128, 3] of Q4_K; expected the first a multiple of 256, the elements of a block"
    )
    for sizes: [UInt64] in [[1 << 62, 4], [1 << 32, 1 << 31], [256, 1 << 20, 1 << 20, 1 << 20]] {
      #expect(try refusal([.init(sizes: sizes)]).hasSuffix("expected a size in bytes that fits 64 bits"))
    }
    // Fewer bytes than 2^63, and more elements.
    #expect(
      try refusal([.init(sizes: [1 << 40, 1 << 23], type: 2)]).hasSuffix(
        "expected a size in bytes that fits 64 bits"))
  }

  @Test func refusesDataOutsideTheFile() throws {
    #expect(
      try refusal([.init(sizes: [16])], dataByteCount: 63)
        == "tensor \"w\" has 64 bytes of data at offset 0; expected an end within the 63 bytes of data in the file"
    )
    #expect(try refusal([.init(sizes: [16])], dataByteCount: 64) == "opened")
    #expect(try refusal([.init(sizes: [1], offset: 96)]).contains("4 bytes of data at offset 96"))
    #expect(try refusal([.init(sizes: [1], offset: 1 << 62)]).contains("expected an end within the 64 bytes"))
    #expect(
      try refusal([.init(sizes: [1], offset: .max - 31)]).contains("expected a multiple of the alignment"))
    #expect(try refusal([.init(sizes: [1])], dataByteCount: 0).contains("within the 0 bytes of data"))
  }

  @Test func refusesUnalignedOffsetsAndOverlaps() throws {
    #expect(
      try refusal([.init(sizes: [1], offset: 16)])
        == "tensor \"w\" has offset 16; expected a multiple of the alignment, 32")
    #expect(
      try refusal([.init(name: "b", sizes: [4], offset: 32), .init(name: "a", sizes: [9])])
        == "tensor \"b\" has offset 32; expected at least 36, where tensor \"a\" ends")
    #expect(
      try refusal([.init(name: "a", sizes: [4]), .init(name: "b", sizes: [4])])
        .hasSuffix("expected at least 16, where tensor \"a\" ends"))
  }

  @Test func refusesDuplicateAndBadNames() throws {
    #expect(
      try refusal([.init(sizes: [4]), .init(sizes: [4], offset: 32)])
        == "tensor \"w\" has the name of another tensor; expected each name once")
    #expect(
      try refusal([.init(name: "")]) == "tensor \"\" has an empty name, at position 0; expected a name")
    let long = String(repeating: "n", count: 65)
    #expect(
      try refusal([.init(name: long)])
        == "field the name of tensor 0 is a string of 65 bytes; expected at most 64")
  }

  @Test func refusesFoldersAndMissingFiles() throws {
    #expect(throws: CheckpointError.notRegularFile(path: folder.url.path)) { try GGUFFile(folder.url) }
    let missing = folder.url.appending(path: "missing.gguf")
    #expect(throws: CheckpointError.notFound(path: missing.path, expected: "a file")) {
      try GGUFFile(missing)
    }
  }
}
