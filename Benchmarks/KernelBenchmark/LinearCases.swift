import CKernels

extension KernelWorkbench {
  private typealias Tile = @convention(c) (UnsafePointer<ck_linear_tile>?) -> Void

  private struct Format {
    var kernel: String
    var type: ck_weight_type
    var tile: Tile
    var elementBytes: Int
    /// Of bf16 pairs, where the instruction set has it.
    var usesDot = false
  }

  private var formats: [Format] {
    [
      Format(kernel: "linear_tile_f32", type: CK_WEIGHT_F32, tile: table.linear_tile_f32, elementBytes: 4),
      Format(kernel: "linear_tile_f16", type: CK_WEIGHT_F16, tile: table.linear_tile_f16, elementBytes: 2),
      Format(kernel: "linear_tile_bf16", type: CK_WEIGHT_BF16, tile: table.linear_tile_bf16, elementBytes: 2),
      Format(
        kernel: "linear_tile_bf16_bf16x", type: CK_WEIGHT_BF16, tile: table.linear_tile_bf16_bf16x,
        elementBytes: 2, usesDot: table.bf16_activation == CK_ACTIVATION_BF16),
    ]
  }

  /// One row and eight over weights from memory, as in decoding; 24 over panels in the cache, as in prefill.
  func linearCases() throws -> [KernelCase] {
    let weights: UnsafeMutablePointer<UInt8> = try allocate(Self.streamBytes)
    // Every 16-bit half is a small number in each format.
    weights.withMemoryRebound(to: UInt16.self, capacity: Self.streamBytes / 2) {
      $0.initialize(repeating: 0x3C3C, count: Self.streamBytes / 2)
    }
    let rows = try floats(24 * Self.width)
    let out = try floats(24 * Int(CK_TILE_PANELS_MAX * CK_PANEL_COLUMNS))
    return try formats.flatMap { format in
      [1, 8].map { streaming(format, rows: $0, x: rows, weights: weights, out: out) }
        + [cached(format, rows: 24, x: rows, weights: weights, out: out)]
    } + [epilogueCase(), roundingCase()]
  }

  private func tile(
    _ format: Format, rows: Int, panels: Int, x: UnsafeMutablePointer<Float>,
    weights: UnsafeMutablePointer<UInt8>, out: UnsafeMutablePointer<Float>
  ) -> ck_linear_tile {
    ck_linear_tile(
      x: x, x_stride: Self.width, panels: weights,
      panel_stride_bytes: ck_panel_bytes(format.type, Int32(Self.width)), out: out,
      out_stride: panels * Int(CK_PANEL_COLUMNS), num_rows: Int32(rows), num_panels: Int32(panels),
      depth: Int32(Self.width))
  }

  /// A pass over all of `weights`, four panels at a time.
  private func streaming(
    _ format: Format, rows: Int, x: UnsafeMutablePointer<Float>, weights: UnsafeMutablePointer<UInt8>,
    out: UnsafeMutablePointer<Float>
  ) -> KernelCase {
    let panels = 4
    let bytes = panels * ck_panel_bytes(format.type, Int32(Self.width))
    let groups = Self.streamBytes / bytes
    return KernelCase(
      kernel: format.kernel, shape: "\(rows) x \(Self.width), streamed", place: .memory,
      bytes: groups * bytes,
      operations: 2 * rows * groups * bytes / format.elementBytes, usesBF16Dot: format.usesDot
    ) { [self] in
      for group in 0..<groups {
        var tile = self.tile(
          format, rows: rows, panels: panels, x: x, weights: weights + group * bytes, out: out)
        format.tile(&tile)
      }
    }
  }

  private func cached(
    _ format: Format, rows: Int, x: UnsafeMutablePointer<Float>, weights: UnsafeMutablePointer<UInt8>,
    out: UnsafeMutablePointer<Float>
  ) -> KernelCase {
    let panels = 2
    let bytes = panels * ck_panel_bytes(format.type, Int32(Self.width))
    return KernelCase(
      kernel: format.kernel, shape: "\(rows) x \(Self.width) x 32", place: .cache, bytes: bytes,
      operations: 2 * rows * bytes / format.elementBytes, usesBF16Dot: format.usesDot
    ) { [self] in
      var tile = self.tile(format, rows: rows, panels: panels, x: x, weights: weights, out: out)
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

  private func roundingCase() throws -> KernelCase {
    let x = try floats(Self.width)
    let out: UnsafeMutablePointer<UInt16> = try allocate(Self.width)
    return KernelCase(
      kernel: "bf16_round_row", shape: "\(Self.width)", place: .cache, bytes: 6 * Self.width
    ) { [table] in table.bf16_round_row(out, x, Int32(Self.width)) }
  }
}
