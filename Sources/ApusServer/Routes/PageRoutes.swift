import HTTPTypes
import Hummingbird
import NIOCore

/// `GET /`, the page that shows the server at work, and the files it asks for. They are for everybody: what
/// the page tells of the server it asks for with the key that its user types.
struct PageRoutes: Sendable {
  func add(to group: RouterGroup<ServerContext>) {
    for file in PageFile.all {
      group.add(RouterPath(file.path), .get) { request, _ in response(file, request) }
    }
  }

  /// Browsers keep the files and ask each time whether theirs are still the server's: a page and scripts of
  /// two versions must not meet.
  private func response(_ file: PageFile, _ request: Request) -> Response {
    var headers = Self.headers
    headers[.eTag] = file.entityTag
    guard !Self.matches(request.headers[.ifNoneMatch], file.entityTag) else {
      return Response(status: .notModified, headers: headers)
    }
    headers[.contentType] = file.contentType
    return Response(
      status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: file.bytes)))
  }

  private static let headers: HTTPFields = [
    .cacheControl: "no-cache",
    .contentSecurityPolicy: contentSecurityPolicy,
    .xContentTypeOptions: "nosniff",
    HTTPField.Name("Referrer-Policy")!: "no-referrer",
    HTTPField.Name("Cross-Origin-Opener-Policy")!: "same-origin",
    HTTPField.Name("Cross-Origin-Resource-Policy")!: "same-origin",
  ]

  /// Content Security Policy Level 3. The page runs its own scripts, talks to its own server, and turns no
  /// text into markup; nobody may frame it.
  static let contentSecurityPolicy = [
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
    "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].joined(separator: "; ")

  /// RFC 9110, section 13.1.2, with its weak comparison.
  static func matches(_ header: String?, _ entityTag: String) -> Bool {
    guard let header else { return false }
    return header.split(separator: ",").contains { item in
      let tag = item.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed()
      let text = String(tag)
      return text == "*" || text == entityTag || text == "W/" + entityTag
    }
  }
}
