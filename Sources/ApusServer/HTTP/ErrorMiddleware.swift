import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1

/// Turns whatever goes wrong into OpenAI's error object.
struct ErrorMiddleware: RouterMiddleware {
  typealias Context = ServerContext

  let bodyByteCountMax: Int

  func handle(
    _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
  ) async throws -> Response {
    do {
      return try await next(request, context)
    } catch let error as HTTPParserError {
      // The connection is at its end, and who reads from it says so.
      throw error
    } catch {
      return Response(apiError(error, request, context))
    }
  }

  private func apiError(_ error: any Error, _ request: Request, _ context: ServerContext) -> APIError {
    switch error {
    case let error as APIError: return error
    case is NIOTooManyBytesError: return .bodyTooLarge(limit: bodyByteCountMax)
    case let error as HTTPError where error.status == .notFound:
      return APIError(
        status: 404, message: "there is no \(request.uri.path)", code: "unknown_url")
    case let error as HTTPError:
      return APIError(status: error.status.code, message: error.body ?? error.status.reasonPhrase)
    case is IOError, is ChannelError:
      // The client went while it sent: no fault of the server, and nobody reads the answer.
      context.logger.debug("a client went while it sent", metadata: ["error": "\(error)"])
      return .clientGone
    default:
      context.logger.error("a request failed", metadata: ["error": "\(error)"])
      return APIError(status: 500, message: "the server failed", type: "server_error", code: "internal_error")
    }
  }
}

extension APIError {
  static func bodyTooLarge(limit: Int) -> APIError {
    APIError(
      status: 413, message: "the body has more bytes than the \(limit) that are taken", code: "body_too_large"
    )
  }
}

extension Response {
  init(_ error: APIError) {
    self.init(json: error.json, status: .init(code: error.status))
    if let seconds = error.retryAfter { headers[.retryAfter] = "\(seconds)" }
    if error.status == 401 { headers[.wwwAuthenticate] = "Bearer" }
  }

  init(json: JSONText, status: HTTPResponse.Status = .ok) {
    self.init(
      status: status, headers: [.contentType: "application/json"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: json.text)))
  }
}
