import HTTPTypes
import Hummingbird

extension RouterGroup where Context == ServerContext {
  /// Answers `method` on `path`, and HEAD where it is GET; other methods get a 405 that says so.
  func add(
    _ path: RouterPath, _ method: HTTPRequest.Method,
    use handler: @escaping @Sendable (Request, ServerContext) async throws -> Response
  ) {
    on(path, method: method, use: handler)
    // The router makes HEAD of GET.
    let allowed: [HTTPRequest.Method] = method == .get ? [.get, .head] : [method]
    let others: [HTTPRequest.Method] = [.get, .head, .post, .put, .delete, .patch, .options]
    let names = allowed.map(\.rawValue).joined(separator: ", ")
    for method in others where !allowed.contains(method) {
      on(path, method: method) { request, _ -> Response in
        var response = Response(
          APIError(
            status: 405, message: "\(method.rawValue) \(request.uri.path) is not possible, expected \(names)",
            code: "method_not_allowed"))
        response.headers[.allow] = names
        return response
      }
    }
  }
}
