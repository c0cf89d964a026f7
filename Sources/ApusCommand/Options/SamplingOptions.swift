import ApusEngine
import ArgumentParser

/// How tokens are drawn, for every request that does not say otherwise.
struct SamplingOptions: ParsableArguments {
  @Option(
    name: [.customShort("n"), .long], parsing: .unconditional,
    help: "Tokens to generate at most. An end-of-sequence token ends a text earlier.")
  var maxTokens = 256

  @Option(
    parsing: .unconditional,
    help: "0 is greedy: always the most likely token. 1 is the model's own distribution.")
  var temperature: Float = 0

  @Option(parsing: .unconditional, help: "Draw from the k most likely tokens. 0 is off.")
  var topK = 0

  @Option(
    parsing: .unconditional,
    help: "Draw from the fewest most likely tokens whose probabilities reach p. 1 is off.")
  var topP: Float = 1

  @Option(
    parsing: .unconditional,
    help: "Leave out tokens less likely than this share of the most likely one. 0 is off.")
  var minP: Float = 0

  @Option(
    parsing: .unconditional,
    help: "Seed of the randomness, the same for every request. (default: a new one for each request)")
  var seed: UInt64?

  @Option(
    parsing: .unconditional,
    help: "Log-probability of each token, and of the N most likely ones (0...20), in --output json.")
  var logprobs: Int?

  @Option(parsing: .unconditional, help: "Ids that end a text, beside the model's end-of-sequence tokens.")
  var stopTokenIds: TokenIDList?

  @Flag(name: .customLong("ignore-eos"), help: "Go on past end-of-sequence tokens.")
  var ignoreEOS = false

  var parameters: SamplingParameters {
    SamplingParameters(
      temperature: temperature, topK: topK, topP: topP, minP: minP, seed: seed, maxTokens: maxTokens,
      stopTokenIDs: stopTokenIds?.ids ?? [], ignoreEOS: ignoreEOS, logprobs: logprobs)
  }
}
