import Foundation

/// A drawing in SVG 1.1 (W3C): shapes and words at given places, in pixels from the upper left.
package struct SVGDocument: Sendable {
  /// Where a text's position is on its line.
  package enum Anchor: String, Sendable { case start, middle, end }

  package let width: Double
  package let height: Double
  /// Colours that stand for others where the reader's surroundings are dark.
  private let darkColours: [(light: String, dark: String)]
  private var elements: [String] = []

  /// - Parameter darkColours: what to put for which colour, in viewers that prefer dark ones. Empty: nothing.
  package init(width: Double, height: Double, darkColours: [(light: String, dark: String)] = []) {
    self.width = width
    self.height = height
    self.darkColours = darkColours
    rectangle(x: 0, y: 0, width: width, height: height, fill: "#ffffff")
  }

  /// - Parameter isCrisp: edges at whole pixels, so that neighbours show no seam.
  package mutating func rectangle(
    x: Double, y: Double, width: Double, height: Double, fill: String, radius: Double = 0,
    isCrisp: Bool = false, title: String? = nil
  ) {
    let corner = radius > 0 ? " rx=\"\(number(radius))\"" : ""
    let edges = isCrisp ? " shape-rendering=\"crispEdges\"" : ""
    let tip = title.map { "<title>\(escaped($0))</title>" } ?? ""
    elements.append(
      "<rect x=\"\(number(x))\" y=\"\(number(y))\" width=\"\(number(max(0, width)))\" "
        + "height=\"\(number(max(0, height)))\" fill=\"\(escaped(fill))\"\(corner)\(edges)>\(tip)</rect>")
  }

  package mutating func line(
    from: (x: Double, y: Double), to: (x: Double, y: Double), stroke: String, width: Double = 1
  ) {
    elements.append(
      "<line x1=\"\(number(from.x))\" y1=\"\(number(from.y))\" x2=\"\(number(to.x))\" y2=\"\(number(to.y))\" "
        + "stroke=\"\(escaped(stroke))\" stroke-width=\"\(number(width))\"/>")
  }

  package mutating func polyline(
    _ points: [(x: Double, y: Double)], stroke: String, width: Double = 2, isDashed: Bool = false
  ) {
    let list = points.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " ")
    let dashes = isDashed ? " stroke-dasharray=\"6 5\"" : ""
    elements.append(
      "<polyline points=\"\(list)\" fill=\"none\" stroke=\"\(escaped(stroke))\" "
        + "stroke-width=\"\(number(width))\" stroke-linejoin=\"round\"\(dashes)/>")
  }

  package mutating func circle(x: Double, y: Double, radius: Double, fill: String) {
    elements.append(
      "<circle cx=\"\(number(x))\" cy=\"\(number(y))\" r=\"\(number(radius))\" fill=\"\(escaped(fill))\"/>")
  }

  package mutating func text(
    _ text: String, x: Double, y: Double, size: Double = 12, anchor: Anchor = .start,
    fill: String = "#24292f",
    isBold: Bool = false
  ) {
    let weight = isBold ? " font-weight=\"600\"" : ""
    elements.append(
      "<text x=\"\(number(x))\" y=\"\(number(y))\" font-size=\"\(number(size))\" "
        + "text-anchor=\"\(anchor.rawValue)\" fill=\"\(escaped(fill))\"\(weight)>\(escaped(text))</text>")
  }

  /// The file's text.
  package func rendered() -> String {
    let size = "width=\"\(number(width))\" height=\"\(number(height))\""
    return """
      <svg xmlns="http://www.w3.org/2000/svg" \(size) viewBox="0 0 \(number(width)) \(number(height))" \
      font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif">
      \(style)\(elements.joined(separator: "\n"))
      </svg>

      """
  }

  /// Colours are attributes, so that drawings without a style sheet's reader are whole; a style goes before them.
  private var style: String {
    guard !darkColours.isEmpty else { return "" }
    let rules = darkColours.map { light, dark in
      "[fill=\"\(light)\"]{fill:\(dark)}[stroke=\"\(light)\"]{stroke:\(dark)}"
    }
    return "<style>@media (prefers-color-scheme: dark){\(rules.joined())}</style>\n"
  }

  private func number(_ value: Double) -> String {
    guard value.isFinite else { return "0" }
    let rounded = (value * 100).rounded() / 100
    return rounded == rounded.rounded() && abs(rounded) < 1e9
      ? String(Int(rounded)) : String(format: "%.2f", rounded)
  }

  /// Text as XML 1.0 takes it: markup spelled out, control characters (which no escape makes legal) left out.
  private func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\u{0}"..<"\u{20}", "\u{7f}", "\u{fffe}", "\u{ffff}": result += " "
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

/// Colours shared by the drawings, readable on white.
package enum Palette {
  package static let ink = "#24292f"
  package static let quiet = "#6e7781"
  package static let grid = "#e4e8ec"
  package static let idle = "#f1f3f5"
  package static let decode = "#9cc3e6"
  package static let prefill = "#1f5f9e"
  package static let measured = "#1f5f9e"
  package static let ideal = "#b35900"
}

/// Steps of 1, 2 or 5 times a power of ten from 0 up to the first that is not below `maximum`; about `count`
/// of them.
package func axisTicks(upTo maximum: Double, count: Int = 5) -> [Double] {
  guard maximum > 0, maximum.isFinite else { return [0, 1] }
  let rough = maximum / Double(max(count, 1))
  let power = pow(10, floor(log10(rough)))
  let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough * 0.999 } ?? rough
  let steps = Int((maximum / step * 0.9999).rounded(.up))
  return (0...max(steps, 1)).map { Double($0) * step }
}
