/// `text` in lines of at most `width` characters, broken at spaces; a word longer than that has a line of its
/// own. Lines that the text has stay.
public func wrapped(_ text: String, width: Int, indent: String = "") -> String {
  text.split(separator: "\n", omittingEmptySubsequences: false).map { paragraph in
    var lines: [String] = []
    var line = ""
    for word in paragraph.split(separator: " ") {
      if !line.isEmpty, indent.count + line.count + 1 + word.count > width {
        lines.append(line)
        line = ""
      }
      line += (line.isEmpty ? "" : " ") + word
    }
    lines.append(line)
    return lines.map { $0.isEmpty ? "" : indent + $0 }.joined(separator: "\n")
  }.joined(separator: "\n")
}

/// The first `length` characters of `text` at most, cut after a whole word and marked where something is
/// missing.
public func excerpt(_ text: String, length: Int) -> String {
  guard text.count > length else { return text }
  let head = text.prefix(length)
  let end = head.lastIndex { $0.isWhitespace } ?? head.endIndex
  return head[..<end] + " ..."
}
