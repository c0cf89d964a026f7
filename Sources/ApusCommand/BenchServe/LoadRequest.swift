import ApusCheckpoint
import ArgumentParser

/// A request of a load: what is asked for, and when if the trace says so.
struct LoadRequest: Sendable, Equatable {
  var prompt: Prompt
  var maxTokens: Int
  /// Seconds from the start.
  var arrival: Double?
}

extension LoadRequest {
  /// Requests of one run: results are held in memory.
  static let countMax = 1 << 20

  private static let fields = ["prompt", "prompt_token_ids", "max_tokens", "arrival"]

  /// One line of a trace.
  /// - Parameter maxTokensDefault: for a line that does not say how many.
  init(line: String, place: String, maxTokensDefault: Int) throws {
    let object = try JSONObject.parse(line: line, place: place)
    try object.refuseFields(otherThan: Self.fields)
    switch (try object.stringIfPresent("prompt"), try object.tokenIDsIfPresent("prompt_token_ids")) {
    case (let text?, nil): prompt = .text(text)
    case (nil, let ids?): prompt = .ids(ids)
    case (nil, nil):
      throw CommandFailure("\(place): neither prompt nor prompt_token_ids; expected one of them")
    case (_?, _?): throw CommandFailure("\(place): both prompt and prompt_token_ids; expected one of them")
    }
    maxTokens = try object.integerIfPresent("max_tokens", in: 1...1 << 24) ?? maxTokensDefault
    arrival = try object.numberIfPresent("arrival")
    if let arrival, !(0...1e9).contains(arrival) {
      throw CommandFailure("\(place): arrival is \(arrival); expected seconds from 0")
    }
  }

  /// The lines of a trace, the first `countMax` of them; empty ones are skipped.
  static func read(path: String, maxTokensDefault: Int, countMax: Int) throws -> [LoadRequest] {
    var reader = try LineReader(path: path)
    var requests: [LoadRequest] = []
    while requests.count < countMax, let line = try reader.next() {
      if line.isEmpty { continue }
      requests.append(try LoadRequest(line: line, place: reader.place, maxTokensDefault: maxTokensDefault))
    }
    guard let first = requests.first else {
      throw CommandFailure("\(InputFile.name(of: path)): no requests; expected at least one line")
    }
    if let other = requests.firstIndex(where: { ($0.arrival == nil) != (first.arrival == nil) }) {
      throw CommandFailure(
        "\(InputFile.name(of: path)): request \(other + 1) \(first.arrival == nil ? "has" : "lacks") an arrival, "
          + "unlike the first; expected all or none")
    }
    return requests
  }
}

/// "16" or "16-512".
struct LengthRange: ExpressibleByArgument, Equatable, Sendable {
  let range: ClosedRange<Int>

  init(_ range: ClosedRange<Int>) { self.range = range }

  init?(argument: String) {
    let parts = argument.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count <= 2, let first = parts[0], let last = parts[parts.count - 1] else { return nil }
    guard 1 <= first, first <= last, last <= 1 << 24 else { return nil }
    range = first...last
  }

  var defaultValueDescription: String {
    range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
  }
}

extension LoadRequest {
  /// Short common words: nearly every vocabulary has each, with a space before it, as one token.
  private static let words = [
    "the", "old", "man", "had", "a", "big", "red", "box", "and", "she", "saw", "it", "was", "very", "good",
    "day",
    "they", "went", "to", "see", "all", "of", "his", "new", "house", "in", "one", "time", "with", "some",
    "more",
    "but", "not", "said", "her", "little", "dog", "then", "came", "back", "for", "him", "who", "put", "on",
    "water",
  ]

  /// Prompts of random words, of lengths drawn evenly from `input`, for answers of lengths from `output`.
  static func random(
    count: Int, input: LengthRange, output: LengthRange, seed: UInt64
  ) -> [LoadRequest] {
    var numbers = UniformSequence(seed: seed)
    return (0..<count).map { _ in
      let length = numbers.next(in: input.range)
      let text = (0..<length).map { _ in words[numbers.next(in: 0...words.count - 1)] }
      return LoadRequest(
        prompt: .text(text.joined(separator: " ")), maxTokens: numbers.next(in: output.range))
    }
  }
}
