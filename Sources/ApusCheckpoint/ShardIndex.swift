import Foundation

/// `model.safetensors.index.json`: which shard holds which tensor.
struct ShardIndex {
  /// The most bytes an index may have: the limit of a safetensors header, which holds more a tensor.
  static let byteCountMax = SafetensorsHeader.byteCountMax

  let path: String
  /// File names of the shards, each once, sorted.
  let shards: [String]
  private let weightMap: JSONMembers

  init(_ url: URL) throws(CheckpointError) {
    let index = try JSONObject.read(url, byteCountMax: ShardIndex.byteCountMax)
    let weightMap = try index.object("weight_map")
    guard weightMap.members.count > 0 else {
      throw index.invalid("weight_map", expected: "at least one tensor")
    }
    var shards: Set<ExactString> = []
    for name in weightMap.members.keys {
      let shard = try weightMap.string(name)
      guard ShardIndex.isPlainFileName(shard) else {
        throw weightMap.invalid(name, expected: "the plain name of a .safetensors file in the same folder")
      }
      shards.insert(ExactString(shard))
    }
    path = url.path
    self.shards = shards.map(\.text).sorted()
    self.weightMap = weightMap.members
  }

  var tensorNames: [String] { weightMap.keys }

  /// The file name of the shard that holds the tensor, nil where the index does not list it.
  func shard(of tensor: String) -> String? {
    guard case .string(let shard)? = weightMap[tensor] else { return nil }
    return shard
  }

  /// A name that cannot leave the folder: no separator, no NUL, not hidden (which rules out `..`).
  private static func isPlainFileName(_ name: String) -> Bool {
    name.hasSuffix(".safetensors") && !name.hasPrefix(".") && name.utf8.count <= 255
      && !name.unicodeScalars.contains { $0 == "/" || $0 == "\\" || $0.value < 0x20 }
  }
}
