import CKernels

extension KernelWorkbench {
  private typealias Tile = @convention(c) (UnsafePointer<ck_linear_tile>?) -> Void

  private struct Format {
    var kernel: String
    var type: ck_weight_type
    var tile: Tile
    var arithmetic = KernelCase.Arithmetic.f32
  }

  /// What products of bf16 pairs are made of: f32 where the instruction set has no dot product.
  var bf16Arithmetic: KernelCase.Arithmetic {
    table.bf16_activation == CK_ACTIVATION_BF16 ? .bf16Dot : .f32
  }

  private var formats: [Format] {
    [
      Format(kernel: "linear_tile_f32", type: CK_WEIGHT_F32, tile: table.linear_tile_f32),
      Format(kernel: "linear_tile_f16", type: CK_WEIGHT_F16, tile: table.linear_tile_f16),
      Format(kernel: "linear_tile_bf16", type: CK_WEIGHT_BF16, tile: table.linear_tile_bf16),
      Format(
        kernel: "linear_tile_bf16_bf16x", type: CK_WEIGHT_BF16, tile: table.linear_tile_bf16_bf16x,
        arithmetic: bf16Arithmetic),
      Format(kernel: "linear_tile_i8", type: CK_WEIGHT_I8, tile: table.linear_tile_i8),
      Format(kernel: "linear_tile_i4", type: CK_WEIGHT_I4, tile: table.linear_tile_i4),
      Format(kernel: "linear_tile_i8a", type: CK_WEIGHT_I8A, tile: table.linear_tile_i8a),
      Format(kernel: "linear_tile_i4a", type: CK_WEIGHT_I4A, tile: table.linear_tile_i4a),
      Format(kernel: "linear_tile_i8h", type: CK_WEIGHT_I8H, tile: table.linear_tile_i8h),
      Format(
        kernel: "linear_tile_i8_i8x", type: CK_WEIGHT_I8, tile: table.linear_tile_i8_i8x,
        arithmetic: .int8Dot),
      Format(
        kernel: "linear_tile_i4_i8x", type: CK_WEIGHT_I4, tile: table.linear_tile_i4_i8x,
        arithmetic: .int4Dot),
      Format(
        kernel: "linear_tile_i8a_i8x", type: CK_WEIGHT_I8A, tile: table.linear_tile_i8a_i8x,
        arithmetic: .int8Dot),
      Format(
        kernel: "linear_tile_i4a_i8x", type: CK_WEIGHT_I4A, tile: table.linear_tile_i4a_i8x,
        arithmetic: .int4Dot),
      Format(
        kernel: "linear_tile_i8h_i8x", type: CK_WEIGHT_I8H, tile: table.linear_tile_i8h_i8x,
        arithmetic: .int8Dot),
    ]
  }

  /// Rows in each of the forms that tiles take, and where products go.
  private struct Rows {
    let x: UnsafeMutablePointer<Float>
    let scales: UnsafeMutablePointer<Float>
    let sums: UnsafeMutablePointer<Int32>
    let weights: UnsafeMutablePointer<UInt8>
    let out: UnsafeMutablePointer<Float>
  }

  /// One row and eight over weights from memory, as in decoding; 24 over panels in the cache, as in prefill.
  func linearCases() throws -> [KernelCase] {
    let groups = Self.width / Int(CK_GROUP)
    let rows = Rows(
      x: try floats(24 * Self.width), scales: try floats(24 * groups), sums: try allocate(2 * 24 * groups),
      weights: try allocate(Self.streamBytes),
      out: try floats(24 * Int(CK_TILE_PANELS_MAX * CK_PANEL_COLUMNS)))
    // Every 16-bit half is a small number in each format.
    rows.weights.withMemoryRebound(to: UInt16.self, capacity: Self.streamBytes / 2) {
      $0.initialize(repeating: 0x3C3C, count: Self.streamBytes / 2)
    }
    return try formats.flatMap { format in
      [1, 8].map { streaming(format, count: $0, rows) } + [cached(format, count: 24, rows)]
    } + [epilogueCase()] + roundingCases()
  }

  private func tile(_ format: Format, count: Int, panels: Int, _ rows: Rows, at offset: Int = 0)
    -> ck_linear_tile
  {
    ck_linear_tile(
      x: rows.x, x_stride: Self.width, x_scales: rows.scales, x_sums: rows.sums,
      panels: rows.weights + offset, panel_stride_bytes: ck_panel_bytes(format.type, Int32(Self.width)),
      out: rows.out, out_stride: panels * Int(CK_PANEL_COLUMNS), num_rows: Int32(count),
      num_panels: Int32(panels), depth: Int32(Self.width))
  }

  private func operations(rows: Int, panels: Int) -> Int {
    2 * rows * panels * Int(CK_PANEL_COLUMNS) * Self.width
  }

  /// A pass over all of the weights, as many panels at a time as a linear layer would.
  private func streaming(_ format: Format, count: Int, _ rows: Rows) -> KernelCase {
    let best = Int(table.linear_tile_panels(format.type, Int32(count)))
    let panels = Int(CK_TILE_PANELS_MAX) / best * best
    let bytes = panels * ck_panel_bytes(format.type, Int32(Self.width))
    let groups = Self.streamBytes / bytes
    return KernelCase(
      kernel: format.kernel, shape: "\(count) x \(Self.width), streamed", place: .memory,
      bytes: groups * bytes,
      operations: operations(rows: count, panels: groups * panels), arithmetic: format.arithmetic
    ) { [self] in
      for group in 0..<groups {
        var tile = self.tile(format, count: count, panels: panels, rows, at: group * bytes)
        format.tile(&tile)
      }
    }
  }

  private func cached(_ format: Format, count: Int, _ rows: Rows) -> KernelCase {
    let panels = 2
    return KernelCase(
      kernel: format.kernel, shape: "\(count) x \(Self.width) x 32", place: .cache,
      bytes: panels * ck_panel_bytes(format.type, Int32(Self.width)),
      operations: operations(rows: count, panels: panels), arithmetic: format.arithmetic
    ) { [self] in
      var tile = self.tile(format, count: count, panels: panels, rows)
      format.tile(&tile)
    }
  }

  private func epilogueCase() throws -> KernelCase {
    let rows = 8, columns = 48
    let product = try floats(rows * 2 * columns), bias = try floats(2 * columns)
    let out = try floats(rows * columns)
    return KernelCase(
      kernel: "linear_epilogue_tile", shape: "swiglu, \(rows) x \(columns)", place: .cache,
      bytes: 4 * rows * 3 * columns
    ) { [table] in
      var tile = ck_epilogue_tile(
        product: product, product_stride: 2 * columns, bias: bias, out: out, out_stride: columns,
        num_rows: Int32(rows), count: Int32(columns), epilogue: CK_EPILOGUE_SWIGLU)
      table.linear_epilogue_tile(&tile)
    }
  }

  private func roundingCases() throws -> [KernelCase] {
    let x = try floats(Self.width)
    let groups = Self.width / Int(CK_GROUP)
    let halves: UnsafeMutablePointer<UInt16> = try allocate(Self.width)
    let bytes: UnsafeMutablePointer<Int8> = try allocate(Self.width)
    let scales = try floats(groups)
    let sums: UnsafeMutablePointer<Int32> = try allocate(2 * groups)
    return [
      KernelCase(
        kernel: "bf16_round_row", shape: "\(Self.width)", place: .cache, bytes: 6 * Self.width
      ) { [table] in table.bf16_round_row(halves, x, Int32(Self.width)) },
      KernelCase(
        kernel: "i8_round_row", shape: "\(Self.width)", place: .cache, bytes: 5 * Self.width + 12 * groups
      ) { [table] in
        var row = ck_i8_row(
          x: x, count: Int32(Self.width), bounds_pairs: table.i8_activation == CK_ACTIVATION_I8_PAIRS,
          out: bytes, scales: scales, sums: sums)
        table.i8_round_row(&row)
      },
    ]
  }
}
