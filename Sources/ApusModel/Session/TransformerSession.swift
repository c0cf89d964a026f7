public import ApusKernels

/// The transformer graph over packed weights, with a KV cache of its own: what an engine drives.
///
/// With pages for every slot (the default) each slot holds its own from the start, and nothing need be assigned.
///
/// Not thread-safe. Several sessions may share the weights.
public final class TransformerSession: StepModel {
  public let weights: PackedWeights
  public let context: KernelContext
  public let slotCount: Int
  public let contextLength: Int
  public let rowsPerStepMax: Int

  private let widths: ProjectionWidths
  private let layers: [Layer]
  private let embedding: PackedMatrix
  private let head: PackedMatrix
  private let rope: RotaryTable
  private let cache: KVCache
  private let scratch: StepScratch
  private let logits: KernelMemory
  private var rows = StepRows()
  private lazy var graph = Graph(self)

  public var vocabularySize: Int { weights.configuration.vocabularySize }
  public var pageSize: Int { KVLayout.pageSize }
  public var pageCount: Int { cache.pageCount }

  /// Type that keys and values are held in.
  public var kvType: KVType { cache.layout.type }

  /// Bytes of the KV cache, backed by the system as they are first written.
  public var cacheByteCount: Int { cache.byteCount }

  /// - Parameters:
  ///   - slotCount: sequences that may be in the cache together.
  ///   - contextLength: positions of one sequence; nil for the model's own. At most the model's.
  ///   - rowsPerStepMax: rows one `forward` may be given; at least `slotCount`.
  ///   - kvType: type that keys and values are held in.
  ///   - pageCount: KV pages shared by all slots; nil for as many as full slots need. More keep the prompts of
  ///     those who have left, for others that begin alike.
  public init(
    _ weights: PackedWeights, context: KernelContext, slotCount: Int, contextLength: Int? = nil,
    rowsPerStepMax: Int = 512, kvType: KVType = .f32, pageCount: Int? = nil
  ) throws(ModelError) {
    let configuration = weights.configuration
    let positions = contextLength ?? configuration.contextLength
    try Self.check("slotCount", slotCount, 1...SessionLimits.slotCountMax)
    try Self.check("contextLength", positions, 1...configuration.contextLength)
    try Self.check("rowsPerStepMax", rowsPerStepMax, slotCount...SessionLimits.rowsPerStepMax)
    self.weights = weights
    self.context = context
    self.slotCount = slotCount
    self.contextLength = positions
    self.rowsPerStepMax = rowsPerStepMax
    widths = ProjectionWidths(configuration)
    layers = weights.layout.layers.map { Layer($0, weights) }
    embedding = weights.matrix(weights.layout.embedding)
    head = weights.layout.head.map(weights.matrix) ?? embedding

    let kvLayout = KVLayout(
      kvHeadCount: configuration.kvHeadCount, headSize: configuration.headSize, type: kvType)
    let pagesPerSlot = (positions + KVLayout.pageSize - 1) / KVLayout.pageSize
    let pageTotal = pageCount ?? slotCount * pagesPerSlot
    try Self.check("pageCount", pageTotal, 1...max(SessionLimits.pageCountMax, slotCount * pagesPerSlot))
    do throws(KernelError) {
      rope = try RotaryTable(
        headSize: configuration.headSize, theta: configuration.rope.theta,
        scaling: .init(configuration.rope.scaling), positionCount: positions)
      cache = try KVCache(
        layout: kvLayout, layerCount: configuration.layerCount, pageCount: pageTotal, slotCount: slotCount,
        pagesPerSlot: pagesPerSlot)
      let attention = context.attentionScratchByteCount(
        AttentionLimits(
          rows: rowsPerStepMax, sequences: slotCount, kvLength: positions,
          headCount: configuration.headCount, layout: kvLayout))
      let products = layers.flatMap(\.matrices) + [head]
      let linear = products.map { $0.scratchByteCount(rows: rowsPerStepMax, context: context) }.max() ?? 0
      scratch = try StepScratch(
        configuration: configuration, widths: widths, rows: rowsPerStepMax,
        kernelBytes: max(attention, linear))
      let logitStride = PackedMatrix.padded(configuration.vocabularySize)
      logits = try KernelMemory(byteCount: rowsPerStepMax * logitStride * MemoryLayout<Float>.size)
    } catch {
      throw .kernels(error)
    }
    rows.reserveCapacity(rows: rowsPerStepMax, sequences: slotCount)
  }

  private static func check(
    _ field: String, _ value: Int, _ range: ClosedRange<Int>
  ) throws(ModelError) {
    guard range.contains(value) else {
      throw .session(
        field: field, found: value, expected: "\(range.lowerBound)...\(range.upperBound)")
    }
  }

  public func assign(page: Int32, slot: Int, index: Int) {
    cache.assign(page: page, slot: slot, index: index)
  }

  public func copyPage(_ source: Int32, to target: Int32) { cache.copyPage(source, to: target) }

  public func forward<R>(_ batch: RaggedBatch, _ body: (UnsafeMutableBufferPointer<Float>) -> R) -> R {
    precondition(
      batch.rowCount > 0 && batch.rowCount <= rowsPerStepMax, "\(batch.rowCount) rows of \(rowsPerStepMax)")
    for sequence in batch.sequences {
      let positions = sequence.kvLength - sequence.rowCount..<sequence.kvLength
      precondition(
        sequence.kvLength <= contextLength && cache.holds(slot: sequence.slot, positions: positions),
        "slot \(sequence.slot) has no pages for positions \(positions)")
    }
    rows.fill(batch)
    context.withTeam(graph)
    return body(
      UnsafeMutableBufferPointer(start: logits.pointer(), count: batch.logitRows.count * vocabularySize))
  }

  /// Runs `rows` through all layers and leaves the logits that are wanted in `logits`.
  fileprivate func run() {
    rows.tokenIDs.withUnsafeBufferPointer { tokens in
      precondition(tokens.allSatisfy { $0 >= 0 && Int($0) < vocabularySize }, "a token beyond the vocabulary")
      embedding.gather(tokens, into: scratch.residual, context: context)
    }
    for (index, layer) in layers.enumerated() {
      let pages = cache.layer(index)
      rows.all.withUnsafeRows { append(layer, pages, $0) }
      // What the last layer makes of a row is only read for its logits.
      let isLast = index == layers.count - 1
      if isLast, !keep(rows.logitRows) { return }
      (isLast ? rows.wanted : rows.all).withUnsafeRows { ragged in
        attend(layer, window: weights.configuration.slidingWindows[index], pages, ragged)
        transform(layer, rowCount: ragged.rowCount)
      }
    }
    project(rowCount: rows.logitRows.count)
  }

  /// Moves the residuals and queries of the chosen rows, in ascending order, to the first rows; false if there are
  /// none.
  private func keep(_ chosen: [Int32]) -> Bool {
    for (index, row) in chosen.enumerated() where index != Int(row) {
      scratch.residual.copyRow(Int(row), to: index, width: weights.configuration.hiddenSize)
      scratch.qkv.copyRow(Int(row), to: index, width: widths.keyOffset)
    }
    return !chosen.isEmpty
  }

  /// Queries, keys and values of norm(residual); keys and values go to the cache.
  private func append(_ layer: Layer, _ pages: KVPages, _ ragged: RaggedRows) {
    let configuration = weights.configuration
    let rowCount = ragged.rowCount
    context.rmsNorm(
      scratch.residual, rows: rowCount, width: configuration.hiddenSize, weight: layer.inputNorm,
      epsilon: configuration.rmsNormEpsilon, out: scratch.normed)
    for part in layer.qkv {
      part.matrix.multiply(
        scratch.normed, rows: rowCount, bias: layer.qkvBias.map { $0 + part.firstColumn },
        out: RowBuffer(base: scratch.qkv.base + part.firstColumn, stride: scratch.qkv.stride),
        scratch: scratch.kernels, context: context)
    }
    context.ropeAppend(
      QKVRows(
        rows: scratch.qkv, headCount: configuration.headCount, keyOffset: widths.keyOffset,
        valueOffset: widths.valueOffset),
      norms: layer.headNorms, table: rope, batch: ragged, cache: pages)
  }

  /// residual += output(attention(queries))
  private func attend(_ layer: Layer, window: Int?, _ pages: KVPages, _ ragged: RaggedRows) {
    context.attention(
      query: scratch.qkv, headCount: weights.configuration.headCount, window: window, batch: ragged,
      cache: pages, out: scratch.attention, scratch: scratch.kernels)
    layer.output.multiply(
      scratch.attention, rows: ragged.rowCount, bias: layer.outputBias, epilogue: .add, out: scratch.residual,
      scratch: scratch.kernels, context: context)
  }

  /// residual += down(silu(gate(norm(residual))) * up(norm(residual)))
  private func transform(_ layer: Layer, rowCount: Int) {
    context.rmsNorm(
      scratch.residual, rows: rowCount, width: weights.configuration.hiddenSize, weight: layer.postNorm,
      epsilon: weights.configuration.rmsNormEpsilon, out: scratch.normed)
    layer.gateUp.multiply(
      scratch.normed, rows: rowCount, bias: layer.gateUpBias, epilogue: .swiGLU, out: scratch.mlp,
      scratch: scratch.kernels, context: context)
    layer.down.multiply(
      scratch.mlp, rows: rowCount, bias: layer.downBias, epilogue: .add, out: scratch.residual,
      scratch: scratch.kernels, context: context)
  }

  /// Final norm and output projection of the rows that were kept into `logits`, `[rows, vocabularySize]`.
  private func project(rowCount: Int) {
    context.rmsNorm(
      scratch.residual, rows: rowCount, width: weights.configuration.hiddenSize,
      weight: weights.vector(weights.layout.finalNorm), epsilon: weights.configuration.rmsNormEpsilon,
      out: scratch.normed)
    head.multiply(
      scratch.normed, rows: rowCount, columns: vocabularySize,
      out: RowBuffer(base: logits.pointer(), stride: vocabularySize), scratch: scratch.kernels,
      context: context)
  }
}

/// A session's forward pass, as the threads of a team are handed it.
private final class Graph: TeamWork {
  private unowned let session: TransformerSession

  init(_ session: TransformerSession) { self.session = session }

  func run() { session.run() }
}

/// Bounds beyond which a session's sizes are taken for mistakes.
enum SessionLimits {
  static let slotCountMax = 4096
  static let rowsPerStepMax = 65_536
  /// 134 million positions.
  static let pageCountMax = 1 << 22
}

/// One layer's weights, as the kernels take them.
private struct Layer {
  let inputNorm: UnsafePointer<Float>
  let qkv: [(matrix: PackedMatrix, firstColumn: Int)]
  let qkvBias: UnsafePointer<Float>?
  let headNorms: HeadNorms?
  let output: PackedMatrix
  let outputBias: UnsafePointer<Float>?
  let postNorm: UnsafePointer<Float>
  let gateUp: PackedMatrix
  let gateUpBias: UnsafePointer<Float>?
  let down: PackedMatrix
  let downBias: UnsafePointer<Float>?

  var matrices: [PackedMatrix] { qkv.map(\.matrix) + [output, gateUp, down] }

  init(_ layout: WeightLayout.Layer, _ weights: PackedWeights) {
    inputNorm = weights.vector(layout.inputNorm)
    qkv = layout.qkv.map { (weights.matrix($0.matrix), $0.firstColumn) }
    qkvBias = layout.qkvBias.map(weights.vector)
    if let query = layout.queryNorm, let key = layout.keyNorm {
      headNorms = HeadNorms(
        query: weights.vector(query), key: weights.vector(key),
        epsilon: weights.configuration.rmsNormEpsilon)
    } else {
      headNorms = nil
    }
    output = weights.matrix(layout.output)
    outputBias = layout.outputBias.map(weights.vector)
    postNorm = weights.vector(layout.postNorm)
    gateUp = weights.matrix(layout.gateUp)
    gateUpBias = layout.gateUpBias.map(weights.vector)
    down = weights.matrix(layout.down)
    downBias = layout.downBias.map(weights.vector)
  }
}

extension RotaryTable.Scaling {
  init(_ scaling: RopeScaling) {
    switch scaling {
    case .none: self = .none
    case .linear(let factor): self = .linear(factor: factor)
    case .llama3(let factor, let low, let high, let original):
      self = .llama3(
        factor: factor, lowFrequencyFactor: low, highFrequencyFactor: high, originalContextLength: original)
    }
  }
}
