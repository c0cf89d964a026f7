import HTTPTypes
import Hummingbird

/// Lets in requests that bear one of the keys. Keys are compared in a time that tells nothing of them, and
/// are never written anywhere.
struct Authentication: RouterMiddleware {
  typealias Context = ServerContext

  private let keys: [[UInt8]]

  init(keys: [String]) { self.keys = keys.map { Array($0.utf8) } }

  func handle(
    _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
  ) async throws -> Response {
    guard !keys.isEmpty else { return try await next(request, context) }
    guard let index = index(ofKeyIn: request.headers[.authorization]) else {
      throw APIError(
        status: 401, message: "no valid API key, expected the header Authorization: Bearer KEY",
        code: "invalid_api_key")
    }
    var context = context
    context.keyIndex = index
    return try await next(request, context)
  }

  /// Which key an `Authorization` header bears; nil: none.
  func index(ofKeyIn header: String?) -> Int? {
    let scheme = Array("bearer ".utf8)
    let header = Array((header ?? "").utf8)
    let isBearer = header.count > scheme.count && zip(header, scheme).allSatisfy { $0 | 0x20 == $1 | 0x20 }
    let given = isBearer ? Array(header.dropFirst(scheme.count)) : []
    var found: Int?
    for (index, key) in keys.enumerated() where Self.areEqual(given, key) { found = found ?? index }
    return found
  }

  /// Looks at every byte of what was given, whatever the key.
  static func areEqual(_ given: [UInt8], _ key: [UInt8]) -> Bool {
    var difference = given.count ^ key.count
    for index in given.indices {
      difference |= Int(given[index] ^ (key.isEmpty ? 0 : key[index % key.count]))
    }
    return difference == 0 && !key.isEmpty
  }
}
