import ApusKernels

/// Where each packed matrix and vector of a model lies in one block of memory. Sizes alone: no weight is read.
struct WeightLayout {
  /// A packed matrix: its place, its type and its shape, outputs in whole panels.
  struct Matrix {
    var byteOffset: Int
    var type: PanelType
    var inputCount: Int
    var outputCount: Int
  }

  /// Floats: norms and biases.
  struct Vector {
    var byteOffset: Int
    var count: Int
  }

  /// A matrix that makes the columns from `firstColumn` on of several that are made together.
  struct Part {
    var matrix: Matrix
    var firstColumn: Int

    func contains(column: Int) -> Bool {
      column >= firstColumn && column < firstColumn + matrix.outputCount
    }
  }

  struct Layer {
    var inputNorm: Vector
    /// Query, key and value, neighbours of one type in one matrix.
    var qkv: [Part]
    var qkvBias: Vector?
    var queryNorm: Vector?
    var keyNorm: Vector?
    var output: Matrix
    var outputBias: Vector?
    var postNorm: Vector
    var gateUp: Matrix
    var gateUpBias: Vector?
    var down: Matrix
    var downBias: Vector?
  }

  /// A part of the block, in the order they lie in: each begins where the one before ends, and at a multiple of 64.
  struct Piece: Equatable {
    var name: String
    var byteOffset: Int
    var byteCount: Int
  }

  /// What the weights of each module are to be held in: by the path of a weight without `.weight`.
  private let types: [String: PanelType]
  private(set) var pieces: [Piece] = []
  private(set) var byteCount = 0
  private(set) var embedding = Matrix(byteOffset: 0, type: .f32, inputCount: 0, outputCount: 0)
  private(set) var layers: [Layer] = []
  private(set) var finalNorm = Vector(byteOffset: 0, count: 0)
  /// nil when tied: the embedding's packed copy serves.
  private(set) var head: Matrix?

  init(_ configuration: ModelConfiguration, types: [String: PanelType]) {
    self.types = types
    let widths = ProjectionWidths(configuration)
    embedding = matrix(["model.embed_tokens"], configuration.hiddenSize, configuration.vocabularySize)
    for index in 0..<configuration.layerCount {
      layers.append(layer("model.layers.\(index).", configuration, widths))
    }
    finalNorm = vector("model.norm", configuration.hiddenSize)
    if !configuration.tiedEmbeddings {
      head = matrix(["lm_head"], configuration.hiddenSize, configuration.vocabularySize)
    }
  }

  /// All matrices, in the order they lie in.
  var matrices: [Matrix] {
    [embedding] + layers.flatMap { $0.qkv.map(\.matrix) + [$0.output, $0.gateUp, $0.down] }
      + [head].compactMap { $0 }
  }

  private mutating func layer(_ prefix: String, _ c: ModelConfiguration, _ widths: ProjectionWidths) -> Layer
  {
    Layer(
      inputNorm: vector(prefix + "input_layernorm", c.hiddenSize),
      qkv: parts(prefix + "self_attn.", c.hiddenSize, widths),
      qkvBias: c.attentionBias ? vector(prefix + "self_attn.qkv_proj.bias", widths.qkv) : nil,
      queryNorm: c.queryKeyNorm ? vector(prefix + "self_attn.q_norm", c.headSize) : nil,
      keyNorm: c.queryKeyNorm ? vector(prefix + "self_attn.k_norm", c.headSize) : nil,
      output: matrix([prefix + "self_attn.o_proj"], widths.attention, c.hiddenSize),
      outputBias: c.outputBias ? vector(prefix + "self_attn.o_proj.bias", c.hiddenSize) : nil,
      postNorm: vector(prefix + "post_attention_layernorm", c.hiddenSize),
      gateUp: matrix(
        [prefix + "mlp.gate_proj", prefix + "mlp.up_proj"], c.hiddenSize, 2 * widths.mlp),
      gateUpBias: c.mlpBias ? vector(prefix + "mlp.gate_up_proj.bias", 2 * widths.mlp) : nil,
      down: matrix([prefix + "mlp.down_proj"], c.intermediateSize, c.hiddenSize),
      downBias: c.mlpBias ? vector(prefix + "mlp.down_proj.bias", c.hiddenSize) : nil)
  }

  private mutating func parts(_ prefix: String, _ inputs: Int, _ widths: ProjectionWidths) -> [Part] {
    let columns = [("q_proj", 0), ("k_proj", widths.keyOffset), ("v_proj", widths.valueOffset)]
    var runs: [(name: String, type: PanelType, first: Int)] = []
    for (name, first) in columns {
      let type = type(of: [prefix + name])
      if runs.last?.type != type { runs.append((prefix + name, type, first)) }
    }
    return runs.indices.map { index in
      let end = index + 1 < runs.count ? runs[index + 1].first : widths.qkv
      let first = runs[index].first
      return Part(matrix: matrix(runs[index].name, runs[index].type, inputs, end - first), firstColumn: first)
    }
  }

  /// What holds the weights of modules that share a matrix without loss.
  private func type(of modules: [String]) -> PanelType {
    let found = Set(modules.map { types[$0] ?? .f32 })
    return found.count == 1 ? found.first! : .f32
  }

  private mutating func take(_ name: String, _ bytes: Int) -> Int {
    let piece = Piece(name: name, byteOffset: byteCount, byteCount: (bytes + 63) / 64 * 64)
    pieces.append(piece)
    byteCount += piece.byteCount
    return piece.byteOffset
  }

  private mutating func matrix(_ modules: [String], _ inputs: Int, _ outputs: Int) -> Matrix {
    matrix(modules[0], type(of: modules), inputs, outputs)
  }

  /// Named for the first of its modules.
  private mutating func matrix(
    _ name: String, _ type: PanelType, _ inputs: Int, _ outputs: Int
  ) -> Matrix {
    let padded = PackedMatrix.padded(outputs)
    let bytes = PackedMatrix.byteCount(type: type, inputCount: inputs, outputCount: padded)
    return Matrix(
      byteOffset: take(name + ".panels", bytes), type: type, inputCount: inputs, outputCount: padded)
  }

  /// Biases are read in whole panels.
  private mutating func vector(_ name: String, _ count: Int) -> Vector {
    Vector(byteOffset: take(name, PackedMatrix.padded(count) * MemoryLayout<Float>.size), count: count)
  }
}

/// Columns of the activations between projections. Each part of a joint projection starts on a panel of its own.
struct ProjectionWidths {
  /// Query, key and value columns side by side.
  let qkv: Int
  let keyOffset: Int
  let valueOffset: Int
  /// Heads side by side, unpadded: what attention writes.
  let attention: Int
  /// MLP columns in whole panels.
  let mlp: Int

  init(_ configuration: ModelConfiguration) {
    attention = configuration.headCount * configuration.headSize
    let kv = PackedMatrix.padded(configuration.kvHeadCount * configuration.headSize)
    keyOffset = PackedMatrix.padded(attention)
    valueOffset = keyOffset + kv
    qkv = valueOffset + kv
    mlp = PackedMatrix.padded(configuration.intermediateSize)
  }
}
