/// A file of the page. Its bytes are part of the program: it may be moved, and nothing is read from disk.
struct PageFile: Sendable {
  /// Where it is served.
  let path: String
  let contentType: String
  let bytes: [UInt8]
  /// Of its bytes alone (RFC 9110, section 8.8.3).
  let entityTag: String

  private init(_ path: String, _ bytes: [UInt8]) {
    self.path = path
    self.bytes = bytes
    contentType =
      switch path.split(separator: ".").last {
      case "js": "text/javascript; charset=utf-8"
      case "css": "text/css; charset=utf-8"
      case "svg": "image/svg+xml"
      default: "text/html; charset=utf-8"
      }
    entityTag = "\"\(String(Self.hash(bytes), radix: 16))\""
  }

  /// FNV-1a with 64 bits.
  private static func hash(_ bytes: [UInt8]) -> UInt64 {
    bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }

  static let all: [PageFile] = [
    PageFile("/", PackageResources.page_html),
    PageFile("/page/icon.svg", PackageResources.icon_svg),
    PageFile("/page/colors.css", PackageResources.colors_css),
    PageFile("/page/layout.css", PackageResources.layout_css),
    PageFile("/page/controls.css", PackageResources.controls_css),
    PageFile("/page/playground.css", PackageResources.playground_css),
    PageFile("/page/live.css", PackageResources.live_css),
    PageFile("/page/main.js", PackageResources.main_js),
    PageFile("/page/server.js", PackageResources.server_js),
    PageFile("/page/events.js", PackageResources.events_js),
    PageFile("/page/element.js", PackageResources.element_js),
    PageFile("/page/key.js", PackageResources.key_js),
    PageFile("/page/options.js", PackageResources.options_js),
    PageFile("/page/pane.js", PackageResources.pane_js),
    PageFile("/page/playground.js", PackageResources.playground_js),
    PageFile("/page/history.js", PackageResources.history_js),
    PageFile("/page/timeline.js", PackageResources.timeline_js),
    PageFile("/page/live.js", PackageResources.live_js),
  ]
}
