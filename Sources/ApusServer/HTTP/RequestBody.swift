import HTTPTypes
import Hummingbird
import NIOCore

extension Request {
  /// The JSON object of a body.
  /// - Throws: `APIError`: 415, 413, 400.
  func fields(byteCountMax: Int) async throws -> RequestFields {
    if let type = headers[.contentType], !Self.isJSON(type) {
      throw APIError(
        status: 415, message: "the content type is \(type.prefix(80)), expected application/json",
        code: "unsupported_media_type")
    }
    if let encoding = headers[.contentEncoding], encoding.lowercased() != "identity" {
      throw APIError(
        status: 415, message: "the content encoding is \(encoding.prefix(80)), expected none",
        code: "unsupported_media_type")
    }
    if let length = headers[.contentLength].flatMap({ Int($0) }), length > byteCountMax {
      throw APIError.bodyTooLarge(limit: byteCountMax)
    }
    let buffer = try await body.collect(upTo: byteCountMax)
    return try buffer.withUnsafeReadableBytes { (bytes) throws(APIError) in try RequestFields(parsing: bytes)
    }
  }

  private static func isJSON(_ type: String) -> Bool {
    let essence = type.prefix { $0 != ";" }.lowercased().filter { !$0.isWhitespace }
    return essence == "application/json" || (essence.hasPrefix("application/") && essence.hasSuffix("+json"))
  }
}
