import ArgumentParser

@main
struct EngineBenchmark: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "engine-benchmark",
    abstract: "Measures what the engine does beyond batching, on a model of Qwen2-0.5B's shape.",
    discussion: """
      Weights are random: speed only, the tokens mean nothing. Every comparison runs in pairs, one after the other, so \
      that both sides meet the same machine.
      """,
    subcommands: [LoadCommand.self, StallCommand.self, PrefixCommand.self, LookupCommand.self])
}
