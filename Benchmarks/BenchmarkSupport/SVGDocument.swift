import Foundation

/// A drawing in SVG 1.1 (W3C): shapes and words at given places, in pixels from the upper left.
public struct SVGDocument: Sendable {
  /// Where a text's position is on its line.
  public enum Anchor: String, Sendable { case start, middle, end }

  public let width: Double
  public let height: Double
  private var elements: [String] = []

  public init(width: Double, height: Double) {
    self.width = width
    self.height = height
    rectangle(x: 0, y: 0, width: width, height: height, fill: "#ffffff")
  }

  public mutating func rectangle(
    x: Double, y: Double, width: Double, height: Double, fill: String, radius: Double = 0,
    title: String? = nil
  ) {
    let corner = radius > 0 ? " rx=\"\(number(radius))\"" : ""
    let tip = title.map { "<title>\(escaped($0))</title>" } ?? ""
    elements.append(
      "<rect x=\"\(number(x))\" y=\"\(number(y))\" width=\"\(number(max(0, width)))\" "
        + "height=\"\(number(max(0, height)))\" fill=\"\(escaped(fill))\"\(corner)>\(tip)</rect>")
  }

  public mutating func line(
    from: (x: Double, y: Double), to: (x: Double, y: Double), stroke: String, width: Double = 1
  ) {
    elements.append(
      "<line x1=\"\(number(from.x))\" y1=\"\(number(from.y))\" x2=\"\(number(to.x))\" y2=\"\(number(to.y))\" "
        + "stroke=\"\(escaped(stroke))\" stroke-width=\"\(number(width))\"/>")
  }

  public mutating func polyline(
    _ points: [(x: Double, y: Double)], stroke: String, width: Double = 2, isDashed: Bool = false
  ) {
    let list = points.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " ")
    let dashes = isDashed ? " stroke-dasharray=\"6 5\"" : ""
    elements.append(
      "<polyline points=\"\(list)\" fill=\"none\" stroke=\"\(escaped(stroke))\" "
        + "stroke-width=\"\(number(width))\" stroke-linejoin=\"round\"\(dashes)/>")
  }

  public mutating func circle(x: Double, y: Double, radius: Double, fill: String) {
    elements.append(
      "<circle cx=\"\(number(x))\" cy=\"\(number(y))\" r=\"\(number(radius))\" fill=\"\(escaped(fill))\"/>")
  }

  public mutating func text(
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
  public func rendered() -> String {
    let size = "width=\"\(number(width))\" height=\"\(number(height))\""
    return """
      <svg xmlns="http://www.w3.org/2000/svg" \(size) viewBox="0 0 \(number(width)) \(number(height))" \
      font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif">
      \(elements.joined(separator: "\n"))
      </svg>

      """
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
enum Palette {
  static let ink = "#24292f"
  static let quiet = "#6e7781"
  static let grid = "#e4e8ec"
  static let idle = "#f1f3f5"
  static let decode = "#9cc3e6"
  static let prefill = "#1f5f9e"
  static let measured = "#1f5f9e"
  static let ideal = "#b35900"
}

/// Steps of 1, 2 or 5 times a power of ten from 0 up to the first that is not below `maximum`; about `count`
/// of them.
func axisTicks(upTo maximum: Double, count: Int = 5) -> [Double] {
  guard maximum > 0, maximum.isFinite else { return [0, 1] }
  let rough = maximum / Double(max(count, 1))
  let power = pow(10, floor(log10(rough)))
  let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough * 0.999 } ?? rough
  let steps = Int((maximum / step * 0.9999).rounded(.up))
  return (0...max(steps, 1)).map { Double($0) * step }
}
