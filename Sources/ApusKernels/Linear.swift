import CKernels

/// What happens to a linear layer's product before it is stored.
public enum LinearEpilogue: Sendable {
  /// `out = y`
  case store
  /// `out = out + y`
  case add
  /// Gate and up panels alternate: `out = silu(gate) * up`, half as many columns.
  case swiGLU

  var cValue: ck_epilogue {
    switch self {
    case .store: CK_EPILOGUE_STORE
    case .add: CK_EPILOGUE_ADD
    case .swiGLU: CK_EPILOGUE_SWIGLU
    }
  }
}

/// Rows of floats: `[count, stride]`, the first columns of each in use.
public struct RowBuffer {
  public var base: UnsafeMutablePointer<Float>
  public var stride: Int

  public init(base: UnsafeMutablePointer<Float>, stride: Int) {
    self.base = base
    self.stride = stride
  }

  /// Copies the first `width` columns of a row to another row.
  public func copyRow(_ row: Int, to target: Int, width: Int) {
    (base + target * stride).update(from: base + row * stride, count: width)
  }
}

extension PackedMatrix {
  private func arguments(
    _ x: RowBuffer, rows: Int, columns: Int, bias: UnsafePointer<Float>?, epilogue: LinearEpilogue,
    out: RowBuffer, scratch: UnsafeMutableRawPointer?, context: KernelContext
  ) -> ck_linear_args {
    ck_linear_args(
      x: x.base, x_stride: x.stride, num_rows: Int32(rows), num_inputs: Int32(inputCount),
      num_outputs: Int32(columns), panels: panels, type: type.cValue, bias: bias,
      epilogue: epilogue.cValue,
      activation: type.activation(on: context),
      out: out.base, out_stride: out.stride, scratch: scratch)
  }

  /// Scratch that `multiply` needs for `rows` rows.
  public func scratchByteCount(rows: Int, context: KernelContext) -> Int {
    let none = RowBuffer(base: UnsafeMutablePointer(bitPattern: 64)!, stride: inputCount)
    var args = arguments(
      none, rows: rows, columns: outputCount, bias: nil, epilogue: .store, out: none, scratch: nil,
      context: context)
    return ck_linear_scratch_bytes(context.pointer, &args)
  }

  /// `out = epilogue(bias + x W^T)` for `rows` rows.
  ///
  /// - Parameters:
  ///   - x: `[rows, inputCount]`
  ///   - columns: outputs that count, nil for all of `outputCount`; padding is left out.
  ///   - bias: `[outputCount]` rounded up to whole panels, in panel order.
  ///   - out: `[rows, outputCount]`, or half the columns for `.swiGLU`.
  ///   - scratch: at least `scratchByteCount(rows:context:)` bytes, 64-byte aligned.
  public func multiply(
    _ x: RowBuffer, rows: Int, columns: Int? = nil, bias: UnsafePointer<Float>? = nil,
    epilogue: LinearEpilogue = .store,
    out: RowBuffer, scratch: UnsafeMutableRawPointer, context: KernelContext
  ) {
    let columns = columns ?? outputCount
    precondition(x.stride >= inputCount && columns <= outputCount)
    precondition(out.stride >= (epilogue == .swiGLU ? columns / 2 : columns))
    var args = arguments(
      x, rows: rows, columns: columns, bias: bias, epilogue: epilogue, out: out, scratch: scratch,
      context: context)
    ck_linear(context.pointer, &args)
  }
}
