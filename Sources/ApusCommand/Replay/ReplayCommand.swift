import Apus
import ApusEngine
import ApusKernels
import ApusModel
import ApusObservability
import ArgumentParser

/// `apus replay`
struct ReplayCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Runs requests of a recording again, each alone, and compares bits.",
    discussion: """
      FILE is what --record wrote. Each request runs by itself, whatever ran beside it then, and must give the same \
      tokens and the same bits of logprobs; one line tells of each. The exit code is 1 if one differs.

      The model must be the one that was recorded, and the instruction set is the recorded one, as bits differ \
      between them; the number of threads changes nothing. A request that a stop string, its caller or a time limit \
      ended is compared as far as it came. Output under a constraint is taken as given, and its logprobs compared.
      """)

  @Argument(help: ArgumentHelp("The recording; - for standard input.", valueName: "FILE"))
  var file: String

  @OptionGroup var model: ModelArgument

  @Option(parsing: .unconditionalSingleValue, help: "Only this request, by its number. Repeatable.")
  var request: [UInt64] = []

  @Option(
    parsing: .unconditional, help: "Threads of each step. (default: the physical cores this process may use)")
  var threads: Int?

  @Flag(help: "Take a recording whose last line is cut off, as a crash leaves it.")
  var truncated = false

  func run() async throws {
    let recording = try read()
    let requests = try chosen(from: recording)
    let files = try model.files()
    let open = try files.open()
    let found = open.identity(named: model.name(of: files))
    guard found.isSame(as: recording.header.model) else {
      throw CommandFailure(
        "\(file): made with \(recording.header.model); \(model.model) is another model: \(found)")
    }
    let engine = try Engine(recording.header, place: file, model: open, threads: threads)
    var differing = 0
    for request in requests {
      let verdict = await RequestReplay(request).run(on: engine)
      if verdict.isDifference { differing += 1 }
      try StandardStreams.write("\(request.arrival.id): \(verdict)\n")
    }
    try StandardStreams.write(summary(requests.count, differing: differing, recording))
    if differing > 0 {
      throw CommandFailure(
        "\(file): \(differing) of \(requests.count) requests did not give the recorded bits")
    }
  }

  private func read() throws -> Recording {
    var reader = try LineReader(path: file)
    var parser = RecordingParser()
    do {
      while let line = try reader.next() {
        if reader.isCutOff, truncated { break }
        try parser.append(line, isCutOff: reader.isCutOff)
      }
      return try parser.recording()
    } catch let error as RecordingError {
      var hint = ""
      if case .truncated = error { hint = "; --truncated takes what is before" }
      throw CommandFailure("\(InputFile.name(of: file)), \(error)\(hint)")
    }
  }

  private func chosen(from recording: Recording) throws(CommandFailure) -> [RecordedRequest] {
    guard !request.isEmpty else { return recording.requests }
    var chosen: [RecordedRequest] = []
    for id in request {
      guard let request = recording[RequestID(rawValue: id)] else {
        throw CommandFailure(
          "--request \(id): \(file) has no such request; it has \(recording.requests.count)")
      }
      chosen.append(request)
    }
    return chosen
  }

  private func summary(_ count: Int, differing: Int, _ recording: Recording) -> String {
    var text = "\(count) request\(count == 1 ? "" : "s") run alone: "
    text += differing == 0 ? "none differs" : "\(differing) differ\(differing == 1 ? "s" : "")"
    if recording.droppedCount > 0 {
      text += "; \(recording.droppedCount) records were dropped as it was made"
    }
    if !recording.isComplete { text += "; the recording has no end" }
    return text + "\n"
  }
}

extension Engine {
  /// An engine as bits need it: one slot, no prefix cache, no guesses.
  fileprivate init(_ header: RecordingHeader, place: String, model: OpenModel, threads: Int?) throws {
    guard let instructionSet = InstructionSet(rawValue: header.instructionSet) else {
      throw CommandFailure(
        "\(place): made with the instruction set \(header.instructionSet), which is not known")
    }
    guard let kvType = KVType(rawValue: header.kvType) else {
      throw CommandFailure("\(place): made with keys and values in \(header.kvType), which is not known")
    }
    let type = try header.weightType.map { name in
      guard let type = WeightType(rawValue: name) else {
        throw CommandFailure("\(place): made with weights in \(name), which is not known")
      }
      return type
    }
    let context = try KernelContext(
      instructionSet: instructionSet, threadCount: threads, precise: header.isPrecise)
    let weights = try KernelOptions.loadWithProgress(model, type: type, context: context)
    let step = min(header.prefillStep, header.contextLength)
    let session = try TransformerSession(
      weights, context: context, slotCount: 1, contextLength: header.contextLength, rowsPerStepMax: 1 + step,
      kvType: kvType)
    try self.init(
      model: session,
      configuration: EngineConfiguration(
        prefillStep: step, prefixCaching: false, draftTokensMax: 0, eosTokenIDs: header.eosTokenIDs),
      kernels: context)
  }
}
