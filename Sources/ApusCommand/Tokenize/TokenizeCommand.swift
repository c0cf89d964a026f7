import Apus
import ApusCheckpoint
import ApusServer
import ApusTokenizer
import ArgumentParser

/// `apus tokenize`
struct TokenizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenize",
    abstract: "Turns texts into token ids.",
    discussion: """
      Each argument is a text. Without arguments each line of standard input is a JSON object: {"text": \
      "..."}, with "special": false to leave out the special tokens that the tokenizer's file puts \
      around a text. One JSON array a line comes out. Special tokens that a text spells out become their \
      ids. MODEL needs no more than a tokenizer.json, or a vocabulary where it is a .gguf file.
      """)

  @OptionGroup var model: ModelArgument

  @Argument(help: ArgumentHelp("Texts; put -- before one that begins with a dash.", valueName: "TEXT"))
  var texts: [String] = []

  @Flag(
    inversion: .prefixedNo,
    help: "Add the special tokens that the tokenizer's file puts around a text, where a line does not say.")
  var special = true

  func run() throws {
    let tokenizer = try model.files().tokenizer(for: "tokenize")
    for (index, text) in texts.enumerated() {
      try write(TokenizeLine(text: text, special: special, place: "text \(index + 1)"), tokenizer)
    }
    guard texts.isEmpty else { return }
    var reader = try LineReader(path: "-")
    while let line = try reader.next() {
      if line.isEmpty { continue }
      try write(try TokenizeLine(line: line, place: reader.place, special: special), tokenizer)
    }
  }

  private func write(_ line: TokenizeLine, _ tokenizer: Tokenizer) throws {
    do {
      let ids = try tokenizer.encode(line.text, addSpecialTokens: line.special)
      try StandardStreams.write(JSONText.ids(ids).text + "\n")
    } catch let error as TokenizerError { throw CommandFailure("\(line.place): \(error)") }
  }
}

/// One text to tokenize.
struct TokenizeLine: Equatable {
  var text: String
  /// Whether to add special tokens around the text.
  var special: Bool
  /// Where it came from, as errors name it.
  var place: String
}

extension TokenizeLine {
  /// - Parameter special: for a line that does not say.
  init(line: String, place: String, special: Bool) throws {
    let object = try JSONObject.parse(line: line, place: place)
    try object.refuseFields(otherThan: ["text", "special"])
    self.init(
      text: try object.string("text"), special: try object.booleanIfPresent("special") ?? special,
      place: place)
  }
}
