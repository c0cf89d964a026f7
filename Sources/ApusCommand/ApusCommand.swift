import ArgumentParser

/// `apus`: the library at a shell.
///
/// What goes wrong is one line on standard error that begins with "apus: ", and exit code 1; arguments that
/// cannot be understood are exit code 64. A reader that closes the pipe ends the command quietly, with exit
/// code 0.
@main
struct ApusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apus",
    abstract: "Runs language models on the CPU, many sequences at a time.",
    version: apusVersion,
    subcommands: [
      GenerateCommand.self, ServeCommand.self, BenchServeCommand.self, ChatTemplateCommand.self,
      TokenizeCommand.self, DetokenizeCommand.self, LogitsCommand.self, PerplexityCommand.self,
      InspectCommand.self, QuantizeCommand.self, ReplayCommand.self,
    ])

  static func main() async {
    StandardStreams.prepare()
    var command: any ParsableCommand
    do { command = try parseAsRoot() } catch { exit(withError: error) }
    do {
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch is ReaderGone {
      StandardStreams.end(exitCode: 0)
    } catch {
      // Help, and what else the parser's own commands throw, is the parser's to print.
      guard exitCode(for: error) == .failure else { exit(withError: error) }
      StandardStreams.report(error)
      StandardStreams.end(exitCode: 1)
    }
  }
}

/// Of the package, as the command and recordings name it.
let apusVersion = "0.1.0"
