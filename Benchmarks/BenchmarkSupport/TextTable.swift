/// Rows of cells under a header: aligned text, Markdown.
public struct TextTable: Sendable, Equatable {
  /// Words of a header are written under each other where lines end in it.
  public var header: [String]
  public private(set) var rows: [[String]] = []

  public init(header: [String]) { self.header = header }

  /// - Parameter cells: as many as the header has.
  public mutating func append(_ cells: [String]) {
    precondition(cells.count == header.count, "\(cells.count) cells under \(header.count) headers")
    rows.append(cells)
  }

  /// Aligned columns, numbers to the right, the first column to the left.
  public func text() -> String {
    let words = header.map { $0.split(separator: "\n").map(String.init) }
    let height = words.map(\.count).max() ?? 0
    // Headers stand on the line below them, so short ones are filled from above.
    let heads = (0..<height).map { line in
      words.map { line < height - $0.count ? "" : $0[line - (height - $0.count)] }
    }
    let widths = header.indices.map { column in
      (heads + rows).map { $0[column].count }.max() ?? 0
    }
    let rule = widths.map { String(repeating: "-", count: $0) }
    return (heads + [rule] + rows).map { line($0, widths) }.joined(separator: "\n")
  }

  private func line(_ cells: [String], _ widths: [Int]) -> String {
    let padded = cells.indices.map { column in
      let space = String(repeating: " ", count: widths[column] - cells[column].count)
      return column == 0 ? cells[column] + space : space + cells[column]
    }
    var text = padded.joined(separator: "  ")
    while text.last == " " { text.removeLast() }
    return text
  }

  /// A GitHub-flavoured Markdown table.
  public func markdown() -> String {
    func row(_ cells: [String]) -> String {
      let escaped = cells.map { cell in
        String(cell.map { $0 == "\n" ? " " : $0 }).split(separator: "|", omittingEmptySubsequences: false)
          .joined(separator: "\\|")
      }
      return "| " + escaped.joined(separator: " | ") + " |"
    }
    let rule = header.indices.map { $0 == 0 ? "---" : "---:" }
    return ([row(header), "|" + rule.joined(separator: "|") + "|"] + rows.map(row)).joined(separator: "\n")
  }
}

/// Fields of one line of comma-separated values, quoted where they must be (RFC 4180).
public func commaSeparated(_ fields: [String]) -> String {
  fields.map { field in
    guard field.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return field }
    return "\"" + field.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
      + "\""
  }.joined(separator: ",")
}
