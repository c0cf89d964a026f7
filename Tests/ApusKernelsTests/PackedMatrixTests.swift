import ApusKernels
import Testing

@Suite struct PackedMatrixTests {
  private static let inputs = 5

  private func zeros(_ type: PanelType, outputs: Int) throws -> PackedMatrix {
    let bytes = PackedMatrix.byteCount(type: type, inputCount: Self.inputs, outputCount: outputs)
    return try PackedMatrix(
      type: type, inputCount: Self.inputs, outputCount: outputs, memory: KernelMemory(byteCount: bytes),
      byteOffset: 0)
  }

  private func gathered(_ matrix: PackedMatrix, rows: [Int32], _ context: KernelContext) -> [Float] {
    var out = [Float](repeating: .nan, count: rows.count * Self.inputs)
    out.withUnsafeMutableBufferPointer { out in
      rows.withUnsafeBufferPointer {
        matrix.gather(
          $0, into: RowBuffer(base: out.baseAddress!, stride: Self.inputs), context: context)
      }
    }
    return out
  }

  /// Every value is a small integer: exact in each type.
  private func integers(rows: Int, from first: Int) -> [Float] {
    (0..<rows * Self.inputs).map { Float(first + $0) }
  }

  @Test(arguments: WeightType.allCases, InstructionSet.runnable)
  func rowsComeBackAsTheyWerePacked(type: WeightType, isa: InstructionSet) throws {
    let context = try KernelContext(instructionSet: isa, threadCount: 2)
    let matrix = try zeros(PanelType(type), outputs: 19)
    var source = integers(rows: 19, from: 0)
    if type == .int8 || type == .int4 {
      // Each row's largest magnitude makes its scale 1, or 2.
      let extreme: Float = type == .int8 ? 127 : -8
      for index in source.indices {
        let row = index / Self.inputs, scale = Float(row % 2 + 1)
        let small = Float((index * 7) % 15 - 7)
        source[index] = scale * (index % Self.inputs == row % Self.inputs ? extreme : small)
      }
    }
    try source.withUnsafeBytes {
      try matrix.pack(.floats($0, .f32), outputs: 19, at: .consecutive(firstOutput: 0), context: context)
    }
    let order: [Int32] = [18, 0, 7, 7, 16]
    let expected = order.flatMap { row in (0..<Self.inputs).map { source[Int(row) * Self.inputs + $0] } }
    #expect(gathered(matrix, rows: order, context) == expected)
  }

  @Test func gateAndUpPanelsAlternate() throws {
    let context = try KernelContext(threadCount: 1)
    let matrix = try zeros(.f32, outputs: 64)
    let gate = integers(rows: 32, from: 1), up = integers(rows: 32, from: 1001)
    try gate.withUnsafeBytes {
      try matrix.pack(.floats($0, .f32), outputs: 32, at: .gate, context: context)
    }
    try up.withUnsafeBytes { try matrix.pack(.floats($0, .f32), outputs: 32, at: .up, context: context) }
    let rows = gathered(matrix, rows: [0, 16, 32, 48], context)
    let first = stride(from: 0, to: rows.count, by: Self.inputs).map { rows[$0] }
    #expect(first == [gate[0], up[0], gate[16 * Self.inputs], up[16 * Self.inputs]])
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity, 1e38])
  func aWeightThatIsNotFiniteInItsTypeIsNamedByRowAndColumn(value: Float) throws {
    let context = try KernelContext(threadCount: 1)
    let matrix = try zeros(.f16, outputs: 16)
    var source = integers(rows: 4, from: 0)
    source[2 * Self.inputs + 3] = value
    #expect(throws: KernelError.notFinite(row: 2, column: 3)) {
      try source.withUnsafeBytes {
        try matrix.pack(.floats($0, .f32), outputs: 4, at: .consecutive(firstOutput: 0), context: context)
      }
    }
  }

  @Test func productAddsBiasAndLeavesPaddingAlone() throws {
    let context = try KernelContext(threadCount: 2)
    let matrix = try zeros(.f32, outputs: 3)
    let source = integers(rows: 3, from: -7)
    try source.withUnsafeBytes {
      try matrix.pack(.floats($0, .f32), outputs: 3, at: .consecutive(firstOutput: 0), context: context)
    }
    var x: [Float] = [1, -2, 3, -4, 5], out: [Float] = [9, 9, 9, 9]
    var bias = [Float](repeating: 0, count: 16)
    bias[1] = 100
    let scratch = try KernelMemory(
      byteCount: max(64, matrix.scratchByteCount(rows: 1, context: context)))
    x.withUnsafeMutableBufferPointer { x in
      out.withUnsafeMutableBufferPointer { out in
        matrix.multiply(
          RowBuffer(base: x.baseAddress!, stride: 5), rows: 1, columns: 3, bias: bias,
          out: RowBuffer(base: out.baseAddress!, stride: 4), scratch: scratch.base, context: context)
      }
    }
    let dots = (0..<3).map { row in (0..<5).reduce(Float(0)) { $0 + x[$1] * source[row * 5 + $1] } }
    #expect(out == [dots[0], dots[1] + 100, dots[2], 9])
  }
}
