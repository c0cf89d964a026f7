/// The header of a `.npy` file, version 1.0, for little-endian float32 in row-major order.
///
/// Source: NumPy Enhancement Proposal 1, "A Simple File Format for NumPy Arrays". Spaces bring the header to
/// a multiple of 64 bytes, so that the elements are aligned in a mapped file.
enum NumPyHeader {
  static func bytes(shape: [Int]) -> [UInt8] {
    // A tuple of one keeps its comma.
    let sizes = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    let description = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(sizes)), }"
    let unpadded = 10 + description.utf8.count + 1
    let padding = (64 - unpadded % 64) % 64
    let length = UInt16(description.utf8.count + padding + 1)
    var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)]
    bytes += description.utf8
    bytes += Array(repeating: UInt8(ascii: " "), count: padding)
    bytes.append(UInt8(ascii: "\n"))
    return bytes
  }
}
