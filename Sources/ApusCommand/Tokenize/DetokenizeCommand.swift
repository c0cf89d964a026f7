import Apus
import ApusCheckpoint
import ApusServer
import ApusTokenizer
import ArgumentParser

/// `apus detokenize`
struct DetokenizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "detokenize",
    abstract: "Turns token ids into texts.",
    discussion: """
      Each argument is a list of ids, as in 1,2,3. Without arguments each line of standard input is a \
      JSON object: {"ids": [1, 2, 3]}, with "skip_special": false to keep special tokens in the text. \
      One JSON string a line comes out. Bytes that are no UTF-8 become U+FFFD. MODEL needs no more than \
      a tokenizer.json, or a vocabulary where it is a .gguf file.
      """)

  @OptionGroup var model: ModelArgument

  @Argument(help: ArgumentHelp("Lists of token ids, as in 1,2,3.", valueName: "IDS"))
  var lists: [TokenIDList] = []

  @Flag(
    inversion: .prefixedNo, help: "Leave special tokens out of the text, where a line does not say.")
  var skipSpecial = true

  func run() throws {
    let tokenizer = try model.files().tokenizer(for: "detokenize")
    for (index, list) in lists.enumerated() {
      let line = DetokenizeLine(ids: list.ids, skipSpecial: skipSpecial, place: "list \(index + 1)")
      try write(line, tokenizer)
    }
    guard lists.isEmpty else { return }
    var reader = try LineReader(path: "-")
    while let line = try reader.next() {
      if line.isEmpty { continue }
      try write(try DetokenizeLine(line: line, place: reader.place, skipSpecial: skipSpecial), tokenizer)
    }
  }

  private func write(_ line: DetokenizeLine, _ tokenizer: Tokenizer) throws {
    do {
      let text = try tokenizer.decode(line.ids, skipSpecialTokens: line.skipSpecial)
      try StandardStreams.write(JSONText.string(text).text + "\n")
    } catch let error as TokenizerError { throw CommandFailure("\(line.place): \(error)") }
  }
}

/// One list of ids to detokenize.
struct DetokenizeLine: Equatable {
  var ids: [Int32]
  /// Whether special tokens are left out of the text.
  var skipSpecial: Bool
  /// Where it came from, as errors name it.
  var place: String
}

extension DetokenizeLine {
  /// - Parameter skipSpecial: for a line that does not say.
  init(line: String, place: String, skipSpecial: Bool) throws {
    let object = try JSONObject.parse(line: line, place: place)
    try object.refuseFields(otherThan: ["ids", "skip_special"])
    guard let ids = try object.tokenIDsIfPresent("ids") else {
      throw CommandFailure("\(place): field ids is missing; expected an array of token ids")
    }
    self.init(
      ids: ids, skipSpecial: try object.booleanIfPresent("skip_special") ?? skipSpecial, place: place)
  }
}
