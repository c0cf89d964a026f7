import Simulator

/// What the command line asks for.
enum Arguments {
  case help
  case replay(History, traces: Bool)
  case shrink(seed: UInt64)
  case work(Work)
  case run(Run)

  /// Histories for one process.
  struct Work {
    var first: UInt64
    var count: UInt64
    /// Seeds of other workers lie between its own.
    var stride: UInt64
    /// Where it says how far it is, for when it crashes.
    var status: String
  }

  struct Run {
    var first: UInt64 = 0
    var count: UInt64 = 10_000
    var workers = 1
    var showsCoverage = false
  }

  static let usage = """
    Usage: apus-simulate [--histories N] [--first SEED] [--workers N] [--coverage]
           apus-simulate --seed SEED
           apus-simulate --replay HISTORY
           apus-simulate --trace HISTORY

    Drives the scheduler through random histories and holds every step against an independent account of who holds
    what. A history that fails, or crashes, is made as small as it goes; a line that replays it is printed, and the
    exit code is 1.

      --histories N    histories to run (10000)
      --first SEED     seed of the first; the others count up (0)
      --workers N      processes that share them (1)
      --coverage       say how often what happened
      --seed SEED      print the history of a seed, and run it
      --replay HISTORY run a history given as a line
      --trace HISTORY  the same, saying what happens step by step
    """

  struct Invalid: Error, CustomStringConvertible {
    var description: String
  }

  static func parse(_ words: [String]) throws(Invalid) -> Arguments {
    var run = Run()
    var rest = words[...]
    func number(_ option: String, _ range: ClosedRange<UInt64>) throws(Invalid) -> UInt64 {
      guard let word = rest.popFirst(), let value = UInt64(word), range.contains(value) else {
        throw Invalid(description: "\(option) expects a number in \(range.lowerBound)...\(range.upperBound)")
      }
      return value
    }
    while let word = rest.popFirst() {
      switch word {
      case "--help", "-h": return .help
      case "--histories": run.count = try number(word, 1...1_000_000_000_000)
      case "--first": run.first = try number(word, 0...UInt64(Int64.max))
      case "--workers": run.workers = Int(try number(word, 1...64))
      case "--coverage": run.showsCoverage = true
      case "--seed":
        return .replay(HistoryGenerator.history(seed: try number(word, 0...UInt64.max)), traces: false)
      case "--replay", "--trace":
        guard let text = rest.popFirst() else { throw Invalid(description: "\(word) expects a history") }
        do throws(HistoryTextError) { return .replay(try History(text), traces: word == "--trace") } catch {
          throw Invalid(description: "\(error)")
        }
      case "--shrink": return .shrink(seed: try number(word, 0...UInt64.max))
      case "--work":
        let work = Work(
          first: try number(word, 0...UInt64.max), count: try number(word, 0...UInt64.max),
          stride: try number(word, 1...64), status: rest.popFirst() ?? "")
        return .work(work)
      default: throw Invalid(description: "\(word) is no option; see --help")
      }
    }
    return .run(run)
  }
}
