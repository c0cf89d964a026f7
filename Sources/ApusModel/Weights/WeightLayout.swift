import ApusKernels

/// Where each packed matrix and vector of a model lies in one block of memory. Sizes alone: no weight is read.
struct WeightLayout {
  /// A packed matrix: its place and its shape, outputs in whole panels.
  struct Matrix {
    var byteOffset: Int
    var inputCount: Int
    var outputCount: Int
  }

  /// Floats: norms and biases.
  struct Vector {
    var byteOffset: Int
    var count: Int
  }

  struct Layer {
    var inputNorm: Vector
    var qkv: Matrix
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

  let type: WeightType
  private(set) var byteCount = 0
  private(set) var embedding = Matrix(byteOffset: 0, inputCount: 0, outputCount: 0)
  private(set) var layers: [Layer] = []
  private(set) var finalNorm = Vector(byteOffset: 0, count: 0)
  /// nil when tied: the embedding's packed copy serves.
  private(set) var head: Matrix?

  init(_ configuration: ModelConfiguration, type: WeightType) {
    self.type = type
    let widths = ProjectionWidths(configuration)
    embedding = matrix(configuration.hiddenSize, configuration.vocabularySize)
    for _ in 0..<configuration.layerCount { layers.append(layer(configuration, widths)) }
    finalNorm = vector(configuration.hiddenSize)
    if !configuration.tiedEmbeddings {
      head = matrix(configuration.hiddenSize, configuration.vocabularySize)
    }
  }

  private mutating func layer(_ c: ModelConfiguration, _ widths: ProjectionWidths) -> Layer {
    Layer(
      inputNorm: vector(c.hiddenSize),
      qkv: matrix(c.hiddenSize, widths.qkv),
      qkvBias: c.attentionBias ? vector(widths.qkv) : nil,
      queryNorm: c.queryKeyNorm ? vector(c.headSize) : nil,
      keyNorm: c.queryKeyNorm ? vector(c.headSize) : nil,
      output: matrix(widths.attention, c.hiddenSize),
      outputBias: c.outputBias ? vector(c.hiddenSize) : nil,
      postNorm: vector(c.hiddenSize),
      gateUp: matrix(c.hiddenSize, 2 * widths.mlp),
      gateUpBias: c.mlpBias ? vector(2 * widths.mlp) : nil,
      down: matrix(c.intermediateSize, c.hiddenSize),
      downBias: c.mlpBias ? vector(c.hiddenSize) : nil)
  }

  private mutating func take(_ bytes: Int) -> Int {
    defer { byteCount += (bytes + 63) / 64 * 64 }
    return byteCount
  }

  private mutating func matrix(_ inputs: Int, _ outputs: Int) -> Matrix {
    let padded = PackedMatrix.padded(outputs)
    let bytes = PackedMatrix.byteCount(type: type, inputCount: inputs, outputCount: padded)
    return Matrix(byteOffset: take(bytes), inputCount: inputs, outputCount: padded)
  }

  /// Biases are read in whole panels.
  private mutating func vector(_ count: Int) -> Vector {
    Vector(byteOffset: take(PackedMatrix.padded(count) * MemoryLayout<Float>.size), count: count)
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
