// NOTE to the attention branch: written by the lead, adjust as you like and land it with the kernel bodies; delete this line.
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
}
