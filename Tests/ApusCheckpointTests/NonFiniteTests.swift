import ApusCheckpoint
import Foundation
import TestSupport
import Testing

@Suite struct NonFiniteTests {
  let folder = try! TemporaryFolder()

  /// A tensor of 16-bit or 32-bit patterns. The header's length is odd, so that elements are not aligned.
  func tensor(_ dtype: String, byteCount: Int, _ patterns: [UInt32]) throws -> CheckpointTensor {
    let data = patterns.flatMap { pattern in
      (0..<byteCount).map { UInt8(truncatingIfNeeded: pattern >> (8 * $0)) }
    }
    var header =
      "{\"w\":{\"dtype\":\"\(dtype)\",\"shape\":[\(patterns.count)],\"data_offsets\":[0,\(data.count)]}}"
    if header.utf8.count % 2 == 0 { header += " " }
    let file = try folder.write(UUID().uuidString, SafetensorsFile.bytes(header: header, data: data))
    return try #require(Checkpoint.open(file)["w"])
  }

  /// The oracle: the language's own idea of a value, each pattern alone.
  func isFinite(_ dtype: String, _ pattern: UInt32) -> Bool {
    switch dtype {
    case "F32": Float(bitPattern: pattern).isFinite
    case "BF16": Float(bitPattern: pattern << 16).isFinite
    // Half precision widened by hand: an exponent of all ones has no finite value.
    default: pattern >> 10 & 0x1F != 0x1F
    }
  }

  @Test(arguments: ["BF16", "F16"])
  func tellsEveryPatternOf16Bits(dtype: String) throws {
    let patterns = 0...UInt32(0xFFFF)
    let finite = patterns.filter { isFinite(dtype, $0) }
    #expect(try tensor(dtype, byteCount: 2, finite).firstNonFinite() == nil)
    let others = patterns.filter { !isFinite(dtype, $0) }
    #expect(others.count == (dtype == "F16" ? 2048 : 256))
    // One tensor a pattern, after the finite neighbour with most bits set.
    let neighbour = try #require(finite.last)
    let entries = others.enumerated().map { position, pattern in
      "\"\(pattern)\":{\"dtype\":\"\(dtype)\",\"shape\":[2],"
        + "\"data_offsets\":[\(4 * position),\(4 * position + 4)]}"
    }
    let data = others.flatMap { pattern in
      [neighbour, neighbour >> 8, pattern, pattern >> 8].map { UInt8(truncatingIfNeeded: $0) }
    }
    let file = try folder.write(
      "patterns", SafetensorsFile.bytes(header: "{\(entries.joined(separator: ","))}", data: data))
    for tensor in try Checkpoint.open(file).tensors {
      #expect(tensor.firstNonFinite() == 1, "pattern \(tensor.name)")
    }
  }

  @Test(arguments: [("F32", 4), ("BF16", 2), ("F16", 2)])
  func findsTheFirstAtEveryPlace(dtype: String, byteCount: Int) throws {
    var random = SplitMix64(seed: 3)
    let bits = UInt32(byteCount * 8)
    for count in [1, 2, 3, 4, 5, 127, 128, 129, 255, 256, 257, 300] {
      var patterns: [UInt32] = []
      while patterns.count < count {
        let pattern = UInt32(truncatingIfNeeded: random.next()) >> (32 - bits)
        if isFinite(dtype, pattern) { patterns.append(pattern) }
      }
      #expect(try tensor(dtype, byteCount: byteCount, patterns).firstNonFinite() == nil)
      for index in Set([0, 1, count / 2, count - 2, count - 1]) where patterns.indices.contains(index) {
        var broken = patterns
        var pattern: UInt32 = 0
        repeat {
          let exponent: UInt32 = dtype == "F32" ? 0x7F80_0000 : dtype == "BF16" ? 0x7F80 : 0x7C00
          pattern = UInt32(truncatingIfNeeded: random.next()) >> (32 - bits) | exponent
        } while isFinite(dtype, pattern)
        broken[index] = pattern
        broken[count - 1] = index == count - 1 ? pattern : pattern ^ 1
        let found = try tensor(dtype, byteCount: byteCount, broken)
        #expect(found.firstNonFinite() == index, "\(count) elements")
        let error = #expect(throws: CheckpointError.self) { try found.requireFinite() }
        #expect(error == .nonFinite(path: found.path, tensor: "w", index: index))
      }
    }
  }

  @Test func looksAtWeightTypesOnly() throws {
    #expect(try tensor("I32", byteCount: 4, [0x7F80_0000]).firstNonFinite() == nil)
  }
}
