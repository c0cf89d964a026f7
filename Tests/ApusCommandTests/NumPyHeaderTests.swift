import Testing

@testable import ApusCommand

@Suite struct NumPyHeaderTests {
  /// The bytes NumPy 2.4.6 writes before the elements.
  private static let magic: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 0x01, 0x00, 0x76, 0x00]

  @Test(arguments: [
    ([23, 97], "{'descr': '<f4', 'fortran_order': False, 'shape': (23, 97), }", 56),
    ([3], "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", 60),
    (
      [123_456_789_012, 151_936],
      "{'descr': '<f4', 'fortran_order': False, 'shape': (123456789012, 151936), }", 42
    ),
  ])
  func equalsNumPys(shape: [Int], description: String, spaces: Int) {
    let expected = Self.magic + description.utf8 + Array(repeating: 0x20, count: spaces) + [0x0A]
    #expect(expected.count == 128)
    #expect(NumPyHeader.bytes(shape: shape) == expected)
  }
}
