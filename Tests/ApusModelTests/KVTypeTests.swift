import ApusKernels
import ApusModel
import ApusStories
import ApusTokenizer
import TestSupport
import Testing

/// What holding keys and values in fewer bits does to logits: the same weights, tokens and kernels, another cache.
@Suite struct KVTypeTests {
  /// Error of the logits against those of a float32 cache, over all rows: sum of squares over sum of squares.
  private static func error(
    _ type: KVType, _ weights: PackedWeights, _ context: KernelContext, tokens: [Int32]
  ) throws -> Double {
    let rows = try [KVType.f32, type].map { type in
      try TransformerSession(
        weights, context: context, slotCount: 1, contextLength: tokens.count, rowsPerStepMax: 64, kvType: type
      ).logits(of: tokens, chunks: [64])
    }
    let squares = zip(rows[1].joined(), rows[0].joined()).map { found, expected in
      let difference = Double(found) - Double(expected)
      return difference * difference
    }
    return squares.reduce(0, +) / rows[0].joined().reduce(0) { $0 + Double($1) * Double($1) }
  }

  private static func expectErrors(
    of weights: PackedWeights, _ context: KernelContext, tokens: [Int32], within bounds: [(KVType, Double)]
  ) throws {
    for (type, bound) in bounds {
      let error = try error(type, weights, context, tokens: tokens)
      // Zero would mean that the type was not used.
      #expect(error > 0 && error <= bound, "\(type.rawValue): \(error)")
    }
  }

  @Test func errorOfTheEmbeddedModelStaysWithinItsBound() throws {
    let context = try KernelContext(precise: true)
    let folder = try ApusStories.modelDirectory()
    let weights = try PackedWeights(directory: folder, type: .f32, context: context)
    let text = """
      The fox is a small hunter with a pointed face, a red coat and a thick tail. It has large ears that turn towards \
      every sound. It digs a den under the roots of a tree and raises its cubs there. It hunts at dusk, when the mice \
      come out of the long grass. It wraps its tail around its nose when the nights are cold. It is related to the \
      wolf and the dog, but hunts alone.
      """
    var tokens = try Tokenizer(folder: folder).encode(text)
    while tokens.count < 256 { tokens += tokens }
    let length = min(320, weights.configuration.contextLength)
    // Measured: 4.4e-8, 3.2e-6, 2.5e-5.
    try Self.expectErrors(
      of: weights, context, tokens: Array(tokens.prefix(length)),
      within: [(.f16, 1e-7), (.bf16, 1e-5), (.int8, 1e-4)])
  }

  @Test func errorOfARandomModelStaysWithinItsBound() throws {
    let context = try KernelContext(precise: true)
    let configuration = try ConfigurationText(.qwen2).with([
      "hidden_size": "256", "intermediate_size": "512", "num_hidden_layers": "6", "num_attention_heads": "4",
      "num_key_value_heads": "2", "max_position_embeddings": "512", "vocab_size": "500",
    ]).read()
    let weights = try PackedWeights(
      RandomWeights(seed: 3), configuration: configuration, type: .f32, context: context)
    var random = SplitMix64(seed: 4)
    // Measured: 2.4e-7, 1.4e-5, 1.6e-4.
    try Self.expectErrors(
      of: weights, context, tokens: (0..<400).map { _ in Int32.random(in: 0..<500, using: &random) },
      within: [(.f16, 1e-6), (.bf16, 5e-5), (.int8, 5e-4)])
  }

  @Test(arguments: KVType.allCases)
  func cacheTakesWhatItsTypeTakes(type: KVType) throws {
    let layout = KVLayout(kvHeadCount: 2, headSize: 64, type: type)
    let expected: [KVType: Int] = [.f32: 1024, .f16: 512, .bf16: 512, .int8: 2 * 2 * (64 + 4)]
    #expect(layout.positionByteCount == expected[type])
    let session = try TransformerSession(
      fixture: try ReferenceFixture("qwen3"), slotCount: 3, kvType: type)
    let c = session.weights.configuration
    let own = KVLayout(kvHeadCount: c.kvHeadCount, headSize: c.headSize, type: type)
    let pages = (c.contextLength + 31) / 32 * 3
    #expect(session.kvType == type)
    #expect(session.cacheByteCount == c.layerCount * pages * 32 * own.positionByteCount)
  }
}
