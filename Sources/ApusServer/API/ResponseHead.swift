import Foundation

/// What all parts of a response begin with.
package struct ResponseHead: Sendable, Equatable {
  package var id: String
  /// Seconds since 1970.
  package var created: Int
  package var model: String
  /// Names what an answer's bits depend on beside the request: version, instruction set, weights.
  package var fingerprint: String

  package init(id: String, created: Int, model: String, fingerprint: String) {
    self.id = id
    self.created = created
    self.model = model
    self.fingerprint = fingerprint
  }

  /// A head of its own for a request.
  init(prefix: String, model: String, fingerprint: String) {
    self.init(
      id: prefix + "-" + String.randomName(), created: Int(Date().timeIntervalSince1970), model: model,
      fingerprint: fingerprint)
  }

  /// The head's members, then `rest`.
  func object(_ kind: String, _ rest: [JSONText.Member]) -> JSONText {
    .object(
      [
        JSONText.Member(name: "id", value: .string(id)),
        JSONText.Member(name: "object", value: .string(kind)),
        JSONText.Member(name: "created", value: .integer(created)),
        JSONText.Member(name: "model", value: .string(model)),
        JSONText.Member(name: "system_fingerprint", value: .string(fingerprint)),
      ] + rest)
  }
}

extension String {
  /// 24 letters and digits, different every time.
  static func randomName() -> String {
    let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789")
    return String((0..<24).map { _ in alphabet.randomElement()! })
  }
}
