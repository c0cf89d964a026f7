import CKernels

/// A matrix as a file stores it, row-major, at any alignment. Valid as long as the memory it points to.
public enum MatrixElements {
  case floats(UnsafeRawBufferPointer, FloatType)
  /// Blocks of GGUF's integer formats.
  case blocks(UnsafeRawBufferPointer, BlockFormat)
  case affine(AffineGroups)

  /// What holds the elements without loss.
  public var panelType: PanelType {
    switch self {
    case .floats(_, let type): PanelType(type)
    case .blocks(_, let format): format.panelType
    case .affine(let groups): groups.panelType
    }
  }

  var bytes: UnsafeRawBufferPointer {
    switch self {
    case .floats(let bytes, _), .blocks(let bytes, _): bytes
    case .affine(let groups): groups.integers
    }
  }

  func byteCount(rows: Int, columns: Int) -> Int {
    switch self {
    case .floats(_, let type): return rows * columns * type.byteCount
    case .blocks(_, let format):
      precondition(columns % format.blockElementCount == 0 && format.blockElementCount > 1)
      return rows * columns / format.blockElementCount * format.blockByteCount
    case .affine(let groups):
      groups.check(rows: rows, columns: columns)
      return rows * columns * groups.bits / 8
    }
  }

  /// The same elements as floats, `[rows, columns]`; written to `out`. One thread. Integers are infinite or NaN
  /// where their scales are.
  public func widen(rows: Int, columns: Int, into out: UnsafeMutableBufferPointer<Float>) {
    precondition(out.count == rows * columns && bytes.count == byteCount(rows: rows, columns: columns))
    switch self {
    case .floats(let bytes, let type): BlockFormat(type).dequantize(bytes, into: out)
    case .blocks(let bytes, let format): format.dequantize(bytes, into: out)
    case .affine(let groups):
      var source = groups.cValue
      guard let out = out.baseAddress else { return }
      ck_dequantize_affine(&source, Int32(columns), Int32(rows), out)
    }
  }
}

/// Integers in groups along a row with a scale and a minimum each: weight = scale * integer + minimum, the affine
/// quantization of MLX.
public struct AffineGroups {
  /// `[rows, columns * bits / 8]`, the first of two halves of a byte low.
  public var integers: UnsafeRawBufferPointer
  /// `[rows, columns / groupSize]` of `scaleType`.
  public var scales: UnsafeRawBufferPointer
  /// The same.
  public var minima: UnsafeRawBufferPointer
  public var scaleType: FloatType
  /// 4 or 8.
  public var bits: Int
  /// 32, 64, 128 or 256; columns are a multiple.
  public var groupSize: Int

  public init(
    integers: UnsafeRawBufferPointer, scales: UnsafeRawBufferPointer, minima: UnsafeRawBufferPointer,
    scaleType: FloatType, bits: Int, groupSize: Int
  ) {
    self.integers = integers
    self.scales = scales
    self.minima = minima
    self.scaleType = scaleType
    self.bits = bits
    self.groupSize = groupSize
  }

  /// What holds them without loss. Scales of 24 bits have no place in panels of integers.
  public var panelType: PanelType { Self.panelType(bits: bits, scaleType: scaleType) }

  public static func panelType(bits: Int, scaleType: FloatType) -> PanelType {
    scaleType == .f32 ? .f32 : PanelType(ck_affine_weight_type(Int32(bits)))
  }

  var cValue: ck_affine {
    ck_affine(
      integers: integers.baseAddress, scales: scales.baseAddress, minima: minima.baseAddress,
      scale_type: scaleType.cValue, bits: Int32(bits), group_size: Int32(groupSize))
  }

  fileprivate func check(rows: Int, columns: Int) {
    precondition(
      [4, 8].contains(bits) && [32, 64, 128, 256].contains(groupSize) && columns % groupSize == 0)
    let scaleBytes = rows * columns / groupSize * scaleType.byteCount
    precondition(scales.count == scaleBytes && minima.count == scaleBytes)
  }

  /// Whether scale and minimum of the group of a weight are.
  func isFinite(row: Int, column: Int, columns: Int) -> Bool {
    let index = row * (columns / groupSize) + column / groupSize
    return [scales, minima].allSatisfy { numbers in
      let element = UnsafeRawBufferPointer(
        rebasing: numbers[index * scaleType.byteCount..<(index + 1) * scaleType.byteCount])
      return withUnsafeTemporaryAllocation(of: Float.self, capacity: 1) { out in
        BlockFormat(scaleType).dequantize(element, into: out)
        return out[0].isFinite
      }
    }
  }
}

extension BlockFormat {
  init(_ type: FloatType) {
    self =
      switch type {
      case .f32: .f32
      case .f16: .f16
      case .bf16: .bf16
      }
  }

  /// What holds blocks of this format without loss.
  public var panelType: PanelType { PanelType(ck_block_weight_type(cValue)) }
}
