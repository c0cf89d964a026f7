import ApusCheckpoint
import ApusKernels
import Foundation
import Testing

import ApusModel

/// Blocks of every type against the NumPy implementation of the format's authors, see `make_blocks.py`.
@Suite struct GGUFBlocksTests {
  static let file = try! GGUFFile(
    Bundle.module.resourceURL!.appending(path: "Fixtures/gguf/blocks.gguf"))

  @Test(arguments: GGUFTensorType.allCases)
  func everyTypeHasABlockFormatOfItsSize(type: GGUFTensorType) {
    let format = BlockFormat(type)
    #expect(format.rawValue == type.name)
    #expect(format.blockElementCount == type.blockElementCount)
    #expect(format.blockByteCount == type.blockByteCount)
  }

  /// Bit for bit, NaN as NaN.
  @Test(arguments: GGUFTensorType.allCases)
  func dequantizesToTheBitsOfTheReference(type: GGUFTensorType) throws {
    let tensor = try #require(Self.file[type.name])
    let reference = try #require(Self.file["\(type.name).expected"])
    #expect(tensor.type == type && reference.type == .f32 && tensor.shape == reference.shape)
    var found = [Float](repeating: 0, count: tensor.elementCount)
    found.withUnsafeMutableBufferPointer { out in
      tensor.withUnsafeBytes { BlockFormat(type).dequantize($0, into: out) }
    }
    let expected = reference.withUnsafeBytes { bytes in
      (0..<found.count).map {
        Float(bitPattern: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self))
      }
    }
    let wrong = found.indices.first {
      expected[$0].isNaN ? !found[$0].isNaN : found[$0].bitPattern != expected[$0].bitPattern
    }
    #expect(wrong == nil, "element \(wrong ?? 0): \(found[wrong ?? 0]), expected \(expected[wrong ?? 0])")
    // The first row is of ordinary weights, the second of every kind of float.
    let ordinary = expected[..<(expected.count / 2)]
    #expect(type.blockElementCount == 1 || ordinary.allSatisfy { $0.isFinite && abs($0) < 100 })
    #expect(Set(ordinary.map(\.bitPattern)).count > 50)
  }
}
