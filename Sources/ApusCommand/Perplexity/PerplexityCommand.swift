import Apus
import ApusKernels
import ApusModel
import ApusServer
import ApusTokenizer
import ArgumentParser

/// How `apus perplexity` prints what it found.
enum PerplexityOutput: String, CaseIterable, ExpressibleByArgument {
  case text, json
}

/// `apus perplexity`
struct PerplexityCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "perplexity",
    abstract: "Tells how well a model predicts a text, and what a weight format costs.",
    discussion: """
      The text is tokenized as a prompt is, and run in windows of --context tokens that begin --stride tokens \
      apart. A token is scored in the first window that holds it, so that each but the first is scored \
      once, beyond the first window given at least --context minus --stride tokens. (llama.cpp's windows do \
      not overlap and it scores the second half of each: the same conditions with the default stride, \
      but half as many tokens.) Perplexity is exp of the mean negative log-likelihood, in nats; standard \
      errors take tokens for independent. tokens/s counts tokens run, those of overlaps each time.

      --compare holds the weights in each of several formats, all in memory together, and prints one \
      table: perplexity, its ratio to the first format's, and of the logits against the first \
      format's the mean KL divergence, the squared error relative to their squares (NMSE) and how often the \
      most likely token is the same.
      """)

  @OptionGroup var model: ModelArgument

  @Option(name: [.short, .long], parsing: .unconditional, help: "A text in UTF-8; - is standard input.")
  var file: String

  @Option(
    parsing: .unconditional,
    help: "Tokens of a window. (default: 512, or the model's context if that is less)")
  var context: Int?

  @Option(
    parsing: .unconditional,
    help: "Tokens from one window's beginning to the next one's. (default: half a window)")
  var stride: Int?

  @Option(
    parsing: .unconditional, help: "Windows that run together. The figures are the same for any number.")
  var batchSize = 4

  @Option(
    parsing: .unconditional,
    help: "Tokens of one step at most, over all windows. The figures are the same for any number.")
  var prefillStep = 128

  @Option(
    parsing: .unconditional, help: "Formats to compare, the first is the reference: f32,bf16,int8,int4.")
  var compare: WeightTypeList?

  @OptionGroup(title: "Kernels") var kernels: KernelOptions

  @Option(parsing: .unconditional, help: "What to print.")
  var output = PerplexityOutput.text

  static let textByteCountMax = 1 << 30
  static let defaultContext = 512

  func run() throws {
    try check("--batch-size", batchSize, 1...4096)
    try check("--prefill-step", prefillStep, 1...32768)
    guard compare == nil || kernels.weights == nil else {
      throw CommandFailure("--weights and --compare are both given; expected one of them")
    }
    let files = try model.files()
    let kernelContext = try kernels.context()
    let tokens = try tokens(files)
    let open = try files.open()
    let windows = try windows(tokens.count, open.configuration)
    var evaluated: [PackedWeights] = []
    for type in compare?.types ?? [kernels.weights] {
      evaluated.append(try kernels.load(open, type: type, context: kernelContext))
    }
    let results = try evaluate(tokens, windows, evaluated, kernelContext)
    let report = PerplexityReport(
      path: model.model, windows: windows, context: kernelContext,
      formats: zip(evaluated, results).map { PerplexityReport.Format(weights: $0, result: $1) })
    try StandardStreams.write(output == .json ? report.json.text + "\n" : report.text)
  }

  private func tokens(_ files: ModelFiles) throws -> [Int32] {
    let tokenizer = try files.tokenizer(for: "perplexity")
    let file = try InputFile(path: self.file)
    let bytes = try file.readAll(byteCountMax: Self.textByteCountMax)
    guard !bytes.isEmpty else { throw CommandFailure("\(file.name): empty; expected a text") }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw CommandFailure("\(file.name): not UTF-8; expected a text in UTF-8")
    }
    do { return try tokenizer.encode(text) } catch { throw CommandFailure("\(file.name): \(error)") }
  }

  private func windows(
    _ tokenCount: Int, _ configuration: ModelConfiguration
  ) throws(CommandFailure) -> ScoringWindows {
    do {
      return try ScoringWindows(
        tokenCount: tokenCount,
        contextLength: context ?? min(Self.defaultContext, configuration.contextLength), stride: stride,
        contextLengthMax: configuration.contextLength)
    } catch { throw failure(error) }
  }

  private func evaluate(
    _ tokens: [Int32], _ windows: ScoringWindows, _ weights: [PackedWeights], _ context: KernelContext
  ) throws -> [PerplexityResult] {
    let slotCount = min(batchSize, windows.windows.count)
    let longest = windows.windows.map(\.rowCount).max() ?? 1
    let sessions = try weights.map { weights in
      try TransformerSession(
        weights, context: context, slotCount: slotCount, contextLength: longest,
        rowsPerStepMax: max(slotCount, min(prefillStep, windows.rowCount)))
    }
    let progress = ProgressLine()
    do {
      return try PerplexityEvaluator(sessions, kernels: context).evaluate(tokens, in: windows) { share in
        progress.update("scoring: \(Int(share * 100)) %")
      }
    } catch { throw failure(error) }
  }

  /// By the option or the file that is to blame.
  private func failure(_ error: PerplexityError) -> CommandFailure {
    switch error {
    case .contextLength(let found, let maximum):
      CommandFailure("--context is \(found); expected 2...\(maximum), at most the model's context")
    case .stride(let found, let contextLength):
      CommandFailure("--stride is \(found); expected 1...\(contextLength - 1), less than a window")
    case .tooFewTokens, .token, .invalidLogits:
      CommandFailure("\(InputFile.name(of: file)): \(error)")
    }
  }
}

/// Weight formats as they are typed: f32,own,int8.
struct WeightTypeList: ExpressibleByArgument, Equatable {
  /// nil is the checkpoint's own.
  let types: [WeightType?]

  init?(argument: String) {
    let names = argument.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard Set(names).count == names.count else { return nil }
    var types: [WeightType?] = []
    for name in names {
      guard let type = WeightType(rawValue: name) else {
        guard name == "own" else { return nil }
        types.append(nil)
        continue
      }
      types.append(type)
    }
    self.types = types
  }
}
