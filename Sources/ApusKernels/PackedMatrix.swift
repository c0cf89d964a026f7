import CKernels

/// The weights of a linear layer, `[outputs, inputs]`, packed into panels for the micro-kernels.
///
/// Several matrices with the same inputs may share one packed matrix, each from a panel of its own on: one product
/// then serves them all (query, key and value; gate and up).
public struct PackedMatrix: Sendable {
  public let type: PanelType
  public let inputCount: Int
  /// Outputs, padding of each part's last panel included.
  public let outputCount: Int
  let memory: KernelMemory
  let byteOffset: Int

  /// Outputs in a panel.
  public static let panelColumns = Int(CK_PANEL_COLUMNS)

  /// `count` rounded up to whole panels.
  public static func padded(_ count: Int) -> Int {
    (count + panelColumns - 1) / panelColumns * panelColumns
  }

  /// Bytes that a matrix of `outputCount` (whole panels) takes.
  public static func byteCount(type: PanelType, inputCount: Int, outputCount: Int) -> Int {
    padded(outputCount) / panelColumns * ck_panel_bytes(type.cValue, Int32(inputCount))
  }

  /// A matrix of zeros at `byteOffset` of `memory`; fill it with `pack`.
  public init(type: PanelType, inputCount: Int, outputCount: Int, memory: KernelMemory, byteOffset: Int) {
    precondition(inputCount > 0 && outputCount > 0 && byteOffset % 64 == 0)
    precondition(
      byteOffset + Self.byteCount(type: type, inputCount: inputCount, outputCount: outputCount)
        <= memory.byteCount)
    self.type = type
    self.inputCount = inputCount
    self.outputCount = outputCount
    self.memory = memory
    self.byteOffset = byteOffset
  }

  var panels: UnsafeMutableRawPointer { memory.base + byteOffset }

  /// How the panels of one source lie among those of others.
  public enum Placement: Sendable {
    /// Consecutive panels from output `firstOutput`, a multiple of 16, on.
    case consecutive(firstOutput: Int)
    /// Every second panel: gate panels even, up panels odd.
    case gate, up
  }

  /// Packs `outputs` rows of `source`, `[outputs, inputCount]`. Floats are converted; integers are taken as they
  /// are and need a matrix of their `panelType`.
  /// - Throws: `KernelError.notFinite` for the first weight that is infinite or NaN, or would become so, and of
  ///   integers for the first of a group whose scale is; `.inexactScale` for the first of a group whose scale has
  ///   no place here.
  public func pack(
    _ source: MatrixElements, outputs: Int, at placement: Placement, context: KernelContext
  ) throws(KernelError) {
    precondition(source.byteCount(rows: outputs, columns: inputCount) == source.bytes.count)
    let place = cPlace(outputs: outputs, at: placement)
    let bad: Int64
    switch source {
    case .floats(let bytes, let sourceType):
      precondition(!type.isFromFilesOnly, "floats cannot be packed as \(type.rawValue)")
      var args = ck_pack_args(
        source: bytes.baseAddress!, source_type: sourceType.cValue, num_inputs: place.num_inputs,
        num_outputs: place.num_outputs, panels: panels, type: type.cValue, first_panel: place.first_panel,
        panel_step: place.panel_step)
      bad = ck_pack_linear(context.pointer, &args)
    case .blocks(let bytes, let format):
      precondition(type == format.panelType, "\(format.rawValue) cannot be held as \(type.rawValue)")
      var args = ck_pack_blocks_args(blocks: bytes.baseAddress!, format: format.cValue, place: place)
      bad = ck_pack_blocks(context.pointer, &args)
    case .affine(let groups):
      precondition(type == groups.panelType, "\(groups.bits) bits cannot be held as \(type.rawValue)")
      var args = ck_pack_affine_args(source: groups.cValue, place: place)
      bad = ck_pack_affine(context.pointer, &args)
    }
    guard bad >= 0 else { return }
    let (row, column) = (Int(bad) / inputCount, Int(bad) % inputCount)
    if case .affine(let groups) = source, groups.isFinite(row: row, column: column, columns: inputCount) {
      throw .inexactScale(row: row, column: column)
    }
    throw .notFinite(row: row, column: column)
  }

  private func cPlace(outputs: Int, at placement: Placement) -> ck_pack_place {
    let (first, step): (Int, Int) =
      switch placement {
      case .consecutive(let firstOutput): (firstOutput / Self.panelColumns, 1)
      case .gate: (0, 2)
      case .up: (1, 2)
      }
    let lastPanel = first + (Self.padded(outputs) / Self.panelColumns - 1) * step
    precondition(lastPanel < Self.padded(outputCount) / Self.panelColumns)
    return ck_pack_place(
      panels: panels, num_inputs: Int32(inputCount), num_outputs: Int32(outputs), first_panel: Int32(first),
      panel_step: Int32(step))
  }

  /// Gathers rows as floats: `out[t, k] = W[indexes[t], k]`, out `[rows, stride]`.
  public func gather(
    _ indexes: UnsafeBufferPointer<Int32>, into out: RowBuffer, context: KernelContext
  ) {
    guard let base = indexes.baseAddress, !indexes.isEmpty else { return }
    var args = ck_unpack_args(
      panels: panels, type: type.cValue, num_inputs: Int32(inputCount), num_rows: Int32(indexes.count),
      index: base, out: out.base, out_stride: out.stride)
    ck_embedding_gather(context.pointer, &args)
  }
}
