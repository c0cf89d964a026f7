import ApusEngine
import ArgumentParser
import Testing

@testable import ApusCommand

struct ServingOptionsTests {
  private func sizes(_ arguments: String...) throws -> ServingOptions.Sizes {
    try ServingOptions.parse(arguments).sizes()
  }

  @Test func withoutOptionsTheEnginesDefaultsHold() throws {
    let (sizes, engine) = (try sizes(), EngineConfiguration())
    #expect(sizes.slotCount == 8 && sizes.contextLength == 8192 && sizes.pageCount == nil)
    #expect(sizes.engine.prefillStep == engine.prefillStep && sizes.engine.interTokenTarget == nil)
    #expect(sizes.engine.prefixCaching && sizes.engine.draftTokensMax == engine.draftTokensMax)
  }

  @Test func optionsReachTheEngine() throws {
    let sizes = try sizes(
      "--slots", "3", "--prefill-step", "16", "--inter-token-target", "80", "--kv-tokens", "65",
      "--no-prefix-caching", "--draft-tokens", "0", "--policy", "fair", "--queue-requests", "5",
      "--queue-tokens", "700")
    #expect(sizes.slotCount == 3 && sizes.pageCount == 3 && sizes.contextLength == 65)
    let engine = sizes.engine
    #expect(engine.prefillStep == 16 && engine.interTokenTarget == .milliseconds(80))
    #expect(!engine.prefixCaching && engine.draftTokensMax == 0 && engine.policy.name == "fair")
    #expect(engine.queueLengthMax == 5 && engine.queueTokensMax == 700)
  }

  @Test func aCacheThatCannotHoldOneRequestIsRefused() throws {
    #expect(try sizes("--kv-tokens", "512", "--context", "512").contextLength == 512)
    #expect(try sizes("--kv-tokens", "20000").contextLength == 8192)
    #expect {
      _ = try sizes("--kv-tokens", "511", "--context", "512")
    } throws: {
      "\($0)" == "--kv-tokens is 511; expected as many as --context, 512, or more"
    }
  }

  @Test(arguments: [
    ("--slots", "0"), ("--context", "0"), ("--prefill-step", "0"), ("--inter-token-target", "-1"),
    ("--kv-tokens", "0"), ("--draft-tokens", "65"), ("--queue-requests", "0"), ("--queue-tokens", "0"),
  ])
  func whatIsOutOfRangeIsRefusedByItsName(_ option: (name: String, value: String)) {
    #expect {
      _ = try sizes(option.name, option.value)
    } throws: {
      "\($0)".contains("\(option.name) is \(option.value)")
    }
  }
}
