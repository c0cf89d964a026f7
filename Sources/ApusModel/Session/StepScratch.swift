import ApusKernels

/// What a step computes between reading tokens and writing logits: one block, made once, for the largest step.
struct StepScratch {
  let memory: KernelMemory
  /// Residual stream, `[rows, hiddenSize]`.
  let residual: RowBuffer
  /// Normed input of a projection, `[rows, hiddenSize]`.
  let normed: RowBuffer
  /// Query, key and value columns, `[rows, qkv]`.
  let qkv: RowBuffer
  /// What attention gives, `[rows, heads * headSize]`.
  let attention: RowBuffer
  /// silu(gate) * up, `[rows, mlp]`.
  let mlp: RowBuffer
  /// For the kernels' own use.
  let kernels: UnsafeMutableRawPointer

  init(
    configuration: ModelConfiguration, widths: ProjectionWidths, rows: Int, kernelBytes: Int
  ) throws(KernelError) {
    let columns = [
      configuration.hiddenSize, configuration.hiddenSize, widths.qkv, widths.attention, widths.mlp,
    ]
    // Rows on cache lines of their own.
    let strides = columns.map { PackedMatrix.padded($0) }
    let rowBytes = strides.reduce(0, +) * MemoryLayout<Float>.size
    memory = try KernelMemory(byteCount: rows * rowBytes + kernelBytes)
    var offset = 0
    var buffers: [RowBuffer] = []
    for stride in strides {
      buffers.append(RowBuffer(base: memory.pointer(byteOffset: offset), stride: stride))
      offset += rows * stride * MemoryLayout<Float>.size
    }
    (residual, normed, qkv) = (buffers[0], buffers[1], buffers[2])
    (attention, mlp) = (buffers[3], buffers[4])
    kernels = memory.base + offset
  }
}
