import ApusKernels
import ApusModel
import ApusStories
import ApusTokenizer
import Foundation
import Testing

/// The embedded model against Hugging Face transformers and tokenizers, its bf16 weights held as float32.
@Suite struct StoriesReferenceTests {
  private struct Reference: Decodable {
    struct Case: Decodable {
      let prompt, text: String
      let ids, greedy: [Int32]
    }
    struct Logits: Decodable {
      let ids: [Int32]
      let last: [Float]
    }
    let cases: [Case]
    let logits: Logits
  }

  private let reference: Reference
  private let session: TransformerSession
  private let tokenizer: Tokenizer

  init() throws {
    let file = ReferenceFixture.folder.appending(path: "stories-reference.json")
    reference = try JSONDecoder().decode(Reference.self, from: Data(contentsOf: file))
    let folder = try ApusStories.modelDirectory()
    let context = try KernelContext(precise: true)
    let weights = try PackedWeights(directory: folder, type: .f32, context: context)
    session = try TransformerSession(weights, context: context, slotCount: 1, rowsPerStepMax: 64)
    tokenizer = try Tokenizer(folder: folder)
  }

  @Test func givesTransformersLogits() throws {
    let ids = reference.logits.ids
    let found = try #require(try session.logits(of: ids, chunks: [ids.count]).last)
    try #require(found.count == reference.logits.last.count)
    let squares = zip(found, reference.logits.last).map { pow(Double($0) - Double($1), 2) }
    let norm = reference.logits.last.reduce(0.0) { $0 + Double($1) * Double($1) }
    #expect(squares.reduce(0, +) / norm < 1e-6)
  }

  @Test func continuesAsTransformersDoes() throws {
    for test in reference.cases {
      #expect(try tokenizer.encode(test.prompt) == test.ids)
      var tokens = test.ids
      for _ in test.greedy {
        // From the start every time: the cache's part is tested elsewhere.
        let rows = try session.logits(of: tokens, chunks: [64])
        tokens.append(Int32(try #require(rows.last).argmax))
      }
      #expect(Array(tokens.dropFirst(test.ids.count)) == test.greedy)
      #expect(try tokenizer.decode(test.greedy) == test.text)
    }
  }
}
