import Apus
import Foundation
import Hummingbird

/// `GET /v1/models`, `GET /v1/models/{id}`
struct ModelRoutes: Sendable {
  let state: ServerState
  /// Seconds since 1970.
  let created: Int

  func add(to group: RouterGroup<ServerContext>) {
    group.add("v1/models", .get) { _, _ in
      let model = try state.model()
      return Response(json: ["object": "list", "data": .array([json(model, name: model.id)])])
    }
    // Names may hold slashes, as those of Hugging Face do.
    group.add("v1/models/**", .get) { _, context in
      let model = try state.model()
      let name = context.parameters.getCatchAll().joined(separator: "/")
      try model.check(name: name.removingPercentEncoding ?? name)
      return Response(json: json(model, name: model.id))
    }
  }

  private func json(_ model: ServedModel, name: String) -> JSONText {
    [
      "id": .string(name), "object": "model", "created": .integer(created), "owned_by": "apus",
      "root": .string(name), "parent": .null, "max_model_len": .integer(model.generator.contextLength),
    ]
  }
}
