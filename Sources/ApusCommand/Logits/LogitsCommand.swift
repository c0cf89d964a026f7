import Apus
import ApusCheckpoint
import ApusModel
import ArgumentParser
import Foundation

/// `apus logits`
struct LogitsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logits",
    abstract: "Writes the logits of every position of a sequence.",
    discussion: """
      The file written holds float32 [ids, vocabulary]: NumPy's format if its name ends in .npy, else \
      the bare little-endian elements, row by row. It is there whole or not at all.
      """)

  @OptionGroup var model: ModelArgument

  @Option(parsing: .unconditional, help: "A file that holds a JSON array of token ids; - is standard input.")
  var idsFile: String

  @Option(parsing: .unconditional, help: "The file to write.")
  var out: String

  @Option(
    parsing: .unconditional, help: "Tokens that run in one step. The logits are the same for any number.")
  var chunk = 128

  @OptionGroup(title: "Kernels") var kernels: KernelOptions

  func run() throws {
    try check("--chunk", chunk, 1...32768)
    let ids = try TokenIDFile.read(path: idsFile)
    let files = try model.files()
    let context = try kernels.context()
    let model = try files.open()
    try validate(ids, model.configuration)
    let weights = try kernels.load(model, context: context)
    let session = try TransformerSession(
      weights, context: context, slotCount: 1, contextLength: ids.count,
      rowsPerStepMax: min(chunk, ids.count), kvType: kernels.kvType)
    try write(ids, session)
  }

  private func validate(_ ids: [Int32], _ configuration: ModelConfiguration) throws(CommandFailure) {
    let name = InputFile.name(of: idsFile)
    guard ids.count <= configuration.contextLength else {
      throw CommandFailure(
        "\(name): \(ids.count) ids; expected at most the model's context of \(configuration.contextLength)"
      )
    }
    for (index, id) in ids.enumerated() where Int(id) >= configuration.vocabularySize {
      throw CommandFailure(
        "\(name): element \(index) is \(id); expected a token id in 0..<\(configuration.vocabularySize)")
    }
  }

  private func write(_ ids: [Int32], _ session: TransformerSession) throws {
    let file = try OutputFile(path: out)
    if out.hasSuffix(".npy") {
      try NumPyHeader.bytes(shape: [ids.count, session.vocabularySize]).withUnsafeBytes { bytes in
        try file.write(bytes)
      }
    }
    let progress = ProgressLine()
    var batch = RaggedBatch()
    for start in stride(from: 0, to: ids.count, by: session.rowsPerStepMax) {
      let end = min(start + session.rowsPerStepMax, ids.count)
      batch.removeAll()
      batch.append(slot: 0, position: start, tokens: ids[start..<end], logits: .all)
      let written: Result<Void, CommandFailure> = session.forward(batch) { logits in
        Result { () throws(CommandFailure) in try file.write(UnsafeRawBufferPointer(logits)) }
      }
      try written.get()
      progress.update("\(end) of \(ids.count) tokens")
    }
    try file.commit()
  }
}

/// A file that holds a JSON array of token ids.
enum TokenIDFile {
  static let byteCountMax = 64 << 20

  static func read(path: String) throws -> [Int32] {
    let file = try InputFile(path: path)
    let name = file.name
    let bytes = try file.readAll(byteCountMax: byteCountMax)
    let value = try bytes.withUnsafeBytes { bytes throws(CheckpointError) in
      try JSONValue(parsing: bytes, file: name)
    }
    guard case .array(let values) = value else {
      throw CommandFailure("\(name): not an array; expected a JSON array of token ids")
    }
    guard !values.isEmpty else { throw CommandFailure("\(name): no ids; expected at least one") }
    return try values.tokenIDs(place: name)
  }
}
