import CKernels
import TestSupport
import Testing

/// Memory and order; values are compared with the format's own implementation where files are read.
@Suite struct DequantizeTests {
  static let formats = 0..<UInt32(CK_BLOCK_FORMAT_COUNT.rawValue)

  static func blocks(_ format: ck_block_format, count: Int, seed: UInt64) -> [UInt8] {
    var random = SplitMix64(seed: seed)
    return (0..<count * ck_block_bytes(format)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
  }

  static func dequantized(_ format: ck_block_format, _ blocks: [UInt8]) -> [UInt32] {
    let count = blocks.count / ck_block_bytes(format)
    let source = GuardedBuffer(blocks)
    let out = GuardedBuffer<Float>(count: count * ck_block_elements(format))
    ck_dequantize(format, source.base, count, out.base)
    #expect(source.isIntact && out.isIntact && source.elements == blocks)
    return out.elements.map(\.bitPattern)
  }

  @Test(arguments: formats, [0, 1, 2, 5])
  func readsAndWritesWholeBlocksAndNoMore(format: UInt32, count: Int) {
    let format = ck_block_format(rawValue: format)
    let out = Self.dequantized(format, Self.blocks(format, count: count, seed: 3))
    #expect(out.count == count * ck_block_elements(format))
  }

  /// The buffer starts as NaN, and with finite scales no element is one.
  @Test(arguments: formats)
  func writesEveryElement(format: UInt32) {
    let format = ck_block_format(rawValue: format)
    let zeros = [UInt8](repeating: 0, count: 3 * ck_block_bytes(format))
    #expect(Self.dequantized(format, zeros).allSatisfy { $0 & 0x7FFF_FFFF == 0 })
  }

  @Test(arguments: formats)
  func aBlockAloneGivesItsElementsAtAnyAlignment(format: UInt32) {
    let format = ck_block_format(rawValue: format)
    let size = ck_block_bytes(format)
    let blocks = Self.blocks(format, count: 4, seed: 5)
    // Two-byte blocks of 16-bit floats, and others, begin at odd addresses here.
    let alone = (0..<4).flatMap { Self.dequantized(format, Array(blocks[$0 * size..<($0 + 1) * size])) }
    let shifted = GuardedBuffer([0] + blocks)
    let out = GuardedBuffer<Float>(count: 4 * ck_block_elements(format))
    ck_dequantize(format, shifted.base + 1, 4, out.base)
    #expect(alone == Self.dequantized(format, blocks))
    #expect(alone == out.elements.map(\.bitPattern))
  }

  /// By hand: 0.5 is 0x3800 in binary16, 2 is 0x4000.
  @Test func followsTheLayoutInSmallCases() {
    func floats(_ format: ck_block_format, _ block: [UInt8]) -> [Float] {
      Self.dequantized(format, block).map { Float(bitPattern: $0) }
    }
    let q8 = floats(CK_BLOCK_Q8_0, [0x00, 0x38, 0x80, 0x7F] + [UInt8](repeating: 1, count: 30))
    #expect(q8[0...2] == [-64, 63.5, 0.5])
    let q4 = floats(CK_BLOCK_Q4_1, [0x00, 0x38, 0x00, 0x40, 0xF3] + [UInt8](repeating: 0, count: 15))
    #expect(q4[0] == 3.5 && q4[16] == 9.5 && q4[1] == 2)
    let q5 = floats(
      CK_BLOCK_Q5_0, [0x00, 0x38, 0x01, 0x00, 0x00, 0x80, 0x0F] + [UInt8](repeating: 0, count: 15))
    #expect(q5[0] == 7.5 && q5[31] == 0 && q5[1] == -8)
  }
}
