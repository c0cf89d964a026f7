import ArgumentParser

/// Token ids on a command line: "1,2,3"; spaces and the brackets of a JSON array are allowed.
struct TokenIDList: ExpressibleByArgument, Equatable {
  let ids: [Int32]

  init?(argument: String) {
    var text = argument[...]
    if text.first == "[", text.last == "]" { text = text.dropFirst().dropLast() }
    var ids: [Int32] = []
    for part in text.split(omittingEmptySubsequences: true, whereSeparator: { $0 == "," || $0.isWhitespace })
    {
      guard let id = Int32(part) else { return nil }
      ids.append(id)
    }
    self.ids = ids
  }
}
