public import ApusCheckpoint
import ApusKernels
import Foundation

/// Packed weights as a safetensors file: the block of memory that `WeightLayout` describes, one tensor for each piece.
/// The file's metadata names the format and the type of every module, from which the layout follows.
///
/// The data begins at a multiple of 4,096 bytes and every tensor at one of 64, so that the file can be mapped and used
/// as it is.
enum PackedPanels {
  static let format = "apus-panels"
  static let version = "1"
  private static let dataAlignment = 4096
  private static let typePrefix = "type."

  /// The file's bytes before the data.
  static func header(_ weights: PackedWeights) -> [UInt8] {
    var metadata = ["format": format, "version": version]
    for (module, type) in weights.moduleTypes { metadata[typePrefix + module] = type.rawValue }
    var fields = [
      "\"__metadata__\":{"
        + metadata.sorted { $0.key < $1.key }.map { "\"\($0)\":\"\($1)\"" }
        .joined(separator: ",") + "}"
    ]
    for piece in weights.layout.pieces {
      let end = piece.byteOffset + piece.byteCount
      fields.append(
        "\"\(piece.name)\":{\"dtype\":\"U8\",\"shape\":[\(piece.byteCount)],\"data_offsets\":[\(piece.byteOffset),\(end)]}"
      )
    }
    var text = Array("{\(fields.joined(separator: ","))}".utf8)
    let lengthBytes = 8
    let misalignment = (lengthBytes + text.count) % dataAlignment
    if misalignment != 0 { text += Array(repeating: UInt8(ascii: " "), count: dataAlignment - misalignment) }
    return withUnsafeBytes(of: UInt64(text.count).littleEndian, Array.init) + text
  }

  /// Whether a checkpoint says that it is one.
  static func isPacked(_ checkpoint: Checkpoint) -> Bool { checkpoint.metadata.first?["format"] == format }

  /// Checks that `checkpoint` holds just the pieces that its metadata and the configuration ask for.
  static func validate(
    _ checkpoint: Checkpoint, _ configuration: ModelConfiguration
  ) throws(ModelError) -> (types: [String: PanelType], layout: WeightLayout) {
    let path = checkpoint.tensors.first?.path ?? checkpoint.directory.path
    let metadata = checkpoint.metadata.first ?? [:]
    guard checkpoint.metadata.count == 1, metadata["version"] == version else {
      throw .checkpoint(
        .invalidField(
          path: path, field: "__metadata__.version", found: quoted(metadata["version"] ?? "none"),
          expected: "version \(version) of packed weights, in one file"))
    }
    var types: [String: PanelType] = [:]
    for tensor in configuration.expectedTensors where tensor.shape.count == 2 {
      guard let module = QuantizedNames(weight: tensor.name)?.module else { continue }
      let name = metadata[typePrefix + module]
      guard let type = name.flatMap(PanelType.init(rawValue:)) else {
        throw .checkpoint(
          .invalidField(
            path: path, field: "__metadata__.\(typePrefix)\(module)", found: quoted(name ?? "none"),
            expected: "one of " + PanelType.allCases.map(\.rawValue).joined(separator: ", ")))
      }
      types[module] = type
    }
    let layout = WeightLayout(configuration, types: types)
    for piece in layout.pieces { try check(piece, checkpoint) }
    let names = Set(layout.pieces.map(\.name))
    for tensor in checkpoint.tensors where !names.contains(tensor.name) {
      throw .tensors(.unexpected(path: path, tensor: tensor.name))
    }
    return (types, layout)
  }

  private static func check(_ piece: WeightLayout.Piece, _ checkpoint: Checkpoint) throws(ModelError) {
    guard let tensor = checkpoint[piece.name] else {
      throw .tensors(
        .missing(path: checkpoint.directory.path, tensor: piece.name, expectedShape: [piece.byteCount]))
    }
    guard tensor.dtype == .u8 else {
      throw .tensors(.wrongDType(path: tensor.path, tensor: piece.name, found: tensor.dtype, expected: .u8))
    }
    guard tensor.shape == [piece.byteCount] else {
      throw .tensors(
        .wrongShape(path: tensor.path, tensor: piece.name, found: tensor.shape, expected: [piece.byteCount]))
    }
  }

  /// The block, mapped where the file's order and alignment are those of memory, else copied. Norms and biases are
  /// checked to be finite; of matrices the bits are taken as they are.
  static func memory(_ checkpoint: Checkpoint, _ layout: WeightLayout) throws(ModelError) -> KernelMemory {
    let memory: KernelMemory
    if let mapped = mapped(checkpoint, layout) {
      memory = mapped
    } else {
      do { memory = try copied(checkpoint, layout) } catch { throw .kernels(error) }
    }
    for piece in layout.pieces where !piece.name.hasSuffix(".panels") {
      let floats = UnsafeBufferPointer(
        start: memory.pointer(to: Float.self, byteOffset: piece.byteOffset), count: piece.byteCount / 4)
      if let index = floats.firstIndex(where: { !$0.isFinite }) {
        throw .checkpoint(
          .nonFinite(path: checkpoint[piece.name]?.path ?? "", tensor: piece.name, index: index))
      }
    }
    return memory
  }

  private static func mapped(_ checkpoint: Checkpoint, _ layout: WeightLayout) -> KernelMemory? {
    var start: UnsafeRawPointer?
    for piece in layout.pieces {
      let bytes = checkpoint[piece.name]?.withUnsafeBytes { $0 }
      guard let address = bytes?.baseAddress else { return nil }
      start = start ?? address
      guard address == start! + piece.byteOffset, Int(bitPattern: address) % 64 == 0 else { return nil }
    }
    guard let start else { return nil }
    return KernelMemory(
      borrowing: UnsafeRawBufferPointer(start: start, count: layout.byteCount), of: checkpoint)
  }

  private static func copied(
    _ checkpoint: Checkpoint, _ layout: WeightLayout
  ) throws(KernelError) -> KernelMemory {
    let memory = try KernelMemory(byteCount: layout.byteCount)
    for piece in layout.pieces {
      checkpoint[piece.name]?.withUnsafeBytes { bytes in
        (memory.base + piece.byteOffset).copyMemory(from: bytes.baseAddress!, byteCount: piece.byteCount)
      }
    }
    return memory
  }
}

extension PackedWeights {
  /// Maps weights that were packed before.
  /// - Throws: also when they are not packed as `type`.
  convenience init(
    packed checkpoint: Checkpoint, configuration: ModelConfiguration, type: WeightType?
  ) throws(ModelError) {
    let (types, layout) = try PackedPanels.validate(checkpoint, configuration)
    if let type,
      let (module, found) = types.sorted(by: { $0.key < $1.key }).first(where: { $0.value != PanelType(type) }
      )
    {
      throw .packedOtherwise(
        path: checkpoint[layout.pieces[0].name]?.path ?? "", module: module, found: found, asked: type)
    }
    self.init(
      configuration: configuration, moduleTypes: types, layout: layout,
      memory: try PackedPanels.memory(checkpoint, layout))
    do { try checkpoint.requireUnchanged() } catch { throw .checkpoint(error) }
  }

  /// Runs `body` on the parts, one after the other, of a safetensors file that holds the weights packed as they are: a
  /// folder with this file and the model's `config.json` loads without packing.
  public func withSerializedParts<Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    let header = PackedPanels.header(self)
    let result = header.withUnsafeBytes { bytes in
      Result { () throws(Failure) in try body(bytes) }
    }
    try result.get()
    defer { withExtendedLifetime(memory) {} }
    try body(UnsafeRawBufferPointer(start: memory.base, count: layout.byteCount))
  }

  /// Whether `checkpoint` holds weights that were packed before.
  public static func isPacked(_ checkpoint: Checkpoint) -> Bool { PackedPanels.isPacked(checkpoint) }
}
