import ApusEngine
import ArgumentParser
import Testing

@testable import ApusCommand

@Suite struct BatchOptionsTests {
  private func options(_ arguments: String...) throws -> BatchOptions { try BatchOptions.parse(arguments) }

  private func requests(_ counts: [(prompt: Int, maxTokens: Int?)]) -> [GenerationRequest] {
    counts.map {
      GenerationRequest(
        promptTokens: Array(repeating: 1, count: $0.prompt), sampling: .greedy(maxTokens: $0.maxTokens))
    }
  }

  @Test func takesNoMoreThanTheRequestsCanUse() throws {
    let sizes = try options().sizes(for: requests([(3, 10), (5, 2)]), modelContextLength: 1000)
    #expect(sizes == BatchOptions.Sizes(slotCount: 2, contextLength: 13, prefillStep: 8))
  }

  @Test func takesNoMoreThanTheOptionsAllow() throws {
    let options = try options("--batch-size", "2", "--prefill-step", "4", "--max-sequence-length", "20")
    let sizes = try options.sizes(for: requests([(9, nil), (9, .max), (9, 1)]), modelContextLength: 1000)
    #expect(sizes == BatchOptions.Sizes(slotCount: 2, contextLength: 20, prefillStep: 4))
  }

  @Test func refusesSizesByTheirOptions() throws {
    for (arguments, words) in [
      (["--batch-size", "0"], "--batch-size is 0; expected 1...4096"),
      (["--prefill-step", "-1"], "--prefill-step is -1; expected 1...32768"),
      (["--max-sequence-length", "1001"], "--max-sequence-length is 1001; expected 1...1000"),
    ] {
      let options = try BatchOptions.parse(arguments)
      #expect(throws: CommandFailure(words)) {
        try options.sizes(for: requests([(1, 1)]), modelContextLength: 1000)
      }
    }
  }
}
