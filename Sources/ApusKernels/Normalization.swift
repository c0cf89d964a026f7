import CKernels

extension KernelContext {
  /// RMSNorm: `out[t, i] = x[t, i] / sqrt(mean(x[t]^2) + epsilon) * weight[i]`. `out` may be `x`.
  public func rmsNorm(
    _ x: RowBuffer, rows: Int, width: Int, weight: UnsafePointer<Float>, epsilon: Float, out: RowBuffer
  ) {
    precondition(x.stride >= width && out.stride >= width && width > 0)
    var args = ck_rms_norm_args(
      x: x.base, x_stride: x.stride, weight: weight, eps: epsilon, num_rows: Int32(rows),
      width: Int32(width), out: out.base, out_stride: out.stride)
    ck_rms_norm(pointer, &args)
  }

  /// Residual connection and the norm of its sum in one pass: `residual += delta`, `out = rmsNorm(residual)`.
  /// `out` may be `delta`.
  public func addRMSNorm(
    residual: RowBuffer, delta: RowBuffer, rows: Int, width: Int, weight: UnsafePointer<Float>,
    epsilon: Float,
    out: RowBuffer
  ) {
    precondition(residual.stride >= width && delta.stride >= width && out.stride >= width && width > 0)
    var args = ck_add_rms_norm_args(
      residual: residual.base, residual_stride: residual.stride, delta: delta.base,
      delta_stride: delta.stride, weight: weight, eps: epsilon, num_rows: Int32(rows), width: Int32(width),
      out: out.base, out_stride: out.stride)
    ck_add_rms_norm(pointer, &args)
  }
}
