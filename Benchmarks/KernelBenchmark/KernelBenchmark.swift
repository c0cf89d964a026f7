public import ApusKernels
public import ArgumentParser
import BenchmarkSupport
import CKernels

enum TableFormat: String, CaseIterable, ExpressibleByArgument {
  case text, csv, markdown
}

extension InstructionSet: ExpressibleByArgument {}

@main
struct KernelBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kernel-benchmark",
    abstract: "Times every micro-kernel on one core, against what that core gives at most.",
    discussion: """
      A kernel can be no faster than its bytes allow, from memory or from the cache, nor than its \
      multiplications and additions do. Both limits are measured between the rounds of the same run, by a \
      loop that only reads and one that only multiplies and adds; the share is of the limit that a kernel \
      meets first.
      """)

  @Option(help: "Instruction set; may be repeated (default: all that run here).")
  var isa: [InstructionSet] = []

  @Option(help: "Only kernels whose names contain this.")
  var only = ""

  @Option(help: "Rounds; medians are reported.")
  var rounds = 7

  @Option(help: "How results are written.")
  var output = TableFormat.text

  func validate() throws {
    guard (1...1000).contains(rounds) else {
      throw ValidationError("--rounds is \(rounds); expected 1...1000")
    }
    for isa in isa where !isa.isRunnable {
      throw ValidationError("\(KernelError.notRunnable(isa, runnable: InstructionSet.runnable))")
    }
  }

  func run() throws {
    let progress = ProgressLine()
    for isa in isa.isEmpty ? InstructionSet.runnable : isa {
      let workbench = try KernelWorkbench(isa)
      let cases = try workbench.cases()
      try Self.checkNothingIsMissing(cases)
      let chosen = cases.filter { only.isEmpty || $0.kernel.contains(only) }
      guard !chosen.isEmpty else { throw ValidationError("--only is \(only); no kernel's name contains it") }
      let results = try KernelRounds(workbench).measure(chosen, rounds: rounds) { done in
        progress.show("\(isa.rawValue): round \(done) of \(rounds)")
      }
      progress.erase()
      show(zip(chosen, results).map { $1.cells($0) }, isa)
    }
  }

  private func show(_ rows: [[String]], _ isa: InstructionSet) {
    var table = TextTable(header: [
      "kernel", "shape", "GB/s", "GFLOP/s", "limit", "share of\nlimit", "least ...\nmost",
    ])
    for row in rows { table.append(row) }
    switch output {
    case .text: print("\(isa.rawValue), one core\n\n\(table.text())\n")
    case .markdown: print("\(isa.rawValue), one core\n\n\(table.markdown())\n")
    case .csv:
      print(commaSeparated(["instruction set"] + table.header.map { $0.replacing("\n", with: " ") }))
      for row in rows { print(commaSeparated([isa.rawValue] + row)) }
    }
  }

  /// Every row of the kernel list has a case.
  private static func checkNothingIsMissing(_ cases: [KernelCase]) throws {
    var names = ck_kernel_names()!
    let covered = Set(cases.map(\.kernel))
    while let name = names.pointee {
      guard covered.contains(String(cString: name)) else {
        throw ValidationError("kernel \(String(cString: name)) has no case")
      }
      names += 1
    }
  }
}
