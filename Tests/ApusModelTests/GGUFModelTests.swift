import ApusCheckpoint
import ApusKernels
import ApusModel
import Foundation
import TestSupport
import Testing

/// Models from GGUF files against the same weights from Hugging Face folders, which reference logits hold right.
@Suite struct GGUFModelTests {
  static let checkpoints = ["llama3", "llama-biases", "qwen2-bf16", "qwen3"]

  static func gguf(_ name: String) -> URL {
    ReferenceFixture.folder.appending(path: "gguf/\(name).gguf")
  }

  /// Logits of every row of `tokens` under weights held in `type`.
  static func logits(_ weights: PackedWeights, _ tokens: [Int32], context: KernelContext) throws -> [[Float]]
  {
    let session = try TransformerSession(weights, context: context, slotCount: 2, rowsPerStepMax: 64)
    return try session.logits(of: tokens, chunks: [7, 1, 3])
  }

  @Test(arguments: checkpoints)
  func configurationIsThatOfTheCheckpoint(name: String) throws {
    let found = try ModelConfiguration(GGUFFile(Self.gguf(name)))
    let expected = try ModelConfiguration(directory: ReferenceFixture.folder.appending(path: name))
    #expect(found == expected)
  }

  @Test(arguments: checkpoints)
  func logitsAreTheCheckpointsBitForBit(name: String) throws {
    let fixture = try ReferenceFixture(name)
    let context = try KernelContext(threadCount: 1, precise: true)
    let tokens = fixture.prompt.map { Int32($0) }
    let found = try PackedWeights(gguf: Self.gguf(name), context: context)
    let expected = try PackedWeights(directory: fixture.directory, context: context)
    #expect(found.types == expected.types && found.configuration == expected.configuration)
    let foundLogits = try Self.logits(found, tokens, context: context)
    let expectedLogits = try Self.logits(expected, tokens, context: context)
    #expect(foundLogits.count == tokens.count)
    #expect(zip(foundLogits, expectedLogits).allSatisfy { $0.sameBits(as: $1) })
  }

  /// A mix of types, as most quantized files are, a permuted projection in blocks among them.
  @Test func blocksGiveTheLogitsOfTheFloatsTheyStandFor() throws {
    let context = try KernelContext(threadCount: 1, precise: true)
    let tokens = try ReferenceFixture("llama3").prompt.map { Int32($0) }
    let types = try Set(GGUFFile(Self.gguf("llama3-mixed")).tensors.map(\.type))
    #expect(types == [.f32, .f16, .bf16, .q8Zero, .q4Zero, .q4One, .q5Zero, .q5One])
    let mixed = try PackedWeights(gguf: Self.gguf("llama3-mixed"), context: context)
    let widened = try PackedWeights(gguf: Self.gguf("llama3-widened"), context: context)
    #expect(mixed.types == [.f32, .bf16, .int8, .int4, .int8Affine])
    let mixedLogits = try Self.logits(mixed, tokens, context: context)
    let widenedLogits = try Self.logits(widened, tokens, context: context)
    #expect(zip(mixedLogits, widenedLogits).allSatisfy { $0.sameBits(as: $1) })
    // And not those of the weights before they were quantized.
    let original = try PackedWeights(gguf: Self.gguf("llama3"), context: context)
    let originalLogits = try Self.logits(original, tokens, context: context)
    #expect(!zip(mixedLogits, originalLogits).contains { $0.sameBits(as: $1) })
  }

  @Test func progressEndsAtOne() throws {
    let context = try KernelContext(threadCount: 1)
    var shares: [Double] = []
    _ = try PackedWeights(gguf: Self.gguf("qwen3"), context: context) { shares.append($0) }
    #expect(shares.last == 1 && shares == shares.sorted())
  }

  @Test(.enabled(if: SharedData.folder != nil, "needs the shared data folder"))
  func aRealModelGivesTheLogitsOfItsCheckpoint() throws {
    let folder = try #require(SharedData.folder)
    let context = try KernelContext(threadCount: 1, precise: true)
    let found = try PackedWeights(gguf: folder.appending(path: "stories260K.gguf"), context: context)
    let expected = try PackedWeights(directory: folder.appending(path: "stories260K-hf"), context: context)
    // The folder's generation_config.json names two ends, the file one.
    var configuration = expected.configuration
    configuration.eosTokenIDs = [2]
    #expect(found.configuration == configuration)
    let tokens: [Int32] = [1, 403, 407, 261, 378, 31, 500, 12, 7, 300, 2, 0]
    let foundLogits = try Self.logits(found, tokens, context: context)
    let expectedLogits = try Self.logits(expected, tokens, context: context)
    #expect(foundLogits.count == tokens.count)
    #expect(zip(foundLogits, expectedLogits).allSatisfy { $0.sameBits(as: $1) })
  }
}
