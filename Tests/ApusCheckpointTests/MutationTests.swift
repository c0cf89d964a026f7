import ApusCheckpoint
import Foundation
import TestSupport
import Testing

/// Damaged files of every kind: each opens, and then all it claims can be read, or is refused by a typed
/// error.
@Suite struct MutationTests {
  let folder = try! TemporaryFolder()

  static let valid = SafetensorsFile.bytes(
    header: """
      {"__metadata__":{"format":"pt"},\
      "norm":{"dtype":"BF16","shape":[5],"data_offsets":[24,34]},\
      "w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},\
      "none":{"dtype":"F16","shape":[0,7],"data_offsets":[34,34]},\
      "scalar":{"dtype":"U8","shape":[],"data_offsets":[34,35]}}
      """, data: (0..<35).map { $0 })

  /// One to four random edits: bytes changed, taken out, put in or swapped, the end cut off or made longer.
  static func damage(_ bytes: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
    let alphabet = Array("0123456789{}[]\",:.-eE \\\n\0tfn".utf8)
    var damaged = bytes
    for _ in 0..<Int.random(in: 1...4, using: &random) where !damaged.isEmpty {
      let place = Int.random(in: 0..<damaged.count, using: &random)
      let letter = alphabet.randomElement(using: &random)!
      switch Int.random(in: 0..<9, using: &random) {
      case 0: damaged[place] = UInt8.random(in: 0...255, using: &random)
      case 1, 2, 3: damaged[place] = letter
      case 4: damaged.remove(at: place)
      case 5: damaged.insert(letter, at: place)
      case 6: damaged.swapAt(place, Int.random(in: 0..<damaged.count, using: &random))
      case 7: damaged.removeSubrange(place...)
      default: damaged.append(letter)
      }
    }
    return damaged
  }

  /// Opens what `url` holds and reads every byte that it claims to have; whether it opened.
  func opens(_ url: URL) -> Bool {
    do throws(CheckpointError) {
      let checkpoint = try Checkpoint.open(url)
      for tensor in checkpoint.tensors {
        let sum = tensor.withUnsafeBytes { $0.reduce(0) { $0 &+ Int($1) } }
        #expect(sum <= 255 * tensor.byteCount)
        #expect(tensor.elementCount == tensor.shape.reduce(1, *))
        _ = tensor.firstNonFinite()
      }
      return true
    } catch {
      #expect(!error.description.isEmpty)
      return false
    }
  }

  @Test func opensOrRefusesDamagedFiles() throws {
    let file = try RewrittenFile(folder, "model.safetensors")
    var random = SplitMix64(seed: 11)
    var opened = 0
    for _ in 0..<6000 {
      try file.write(Self.damage(Self.valid, &random))
      if opens(file.url) { opened += 1 }
    }
    // Both outcomes are met often: changes of data and of names do no harm.
    #expect(opened > 100)
    #expect(opened < 3000)
  }

  @Test func refusesEveryTruncation() throws {
    let file = try RewrittenFile(folder, "model.safetensors")
    for byteCount in 0..<Self.valid.count {
      try file.write(Array(Self.valid[..<byteCount]))
      #expect(!opens(file.url), "\(byteCount) bytes")
    }
    try file.write(Self.valid)
    #expect(opens(file.url))
  }

  @Test func refusesEveryChangeOfTheHeaderLength() throws {
    let file = try RewrittenFile(folder, "model.safetensors")
    for place in 0..<8 {
      for bit in 0..<8 {
        var damaged = Self.valid
        damaged[place] ^= 1 << bit
        try file.write(damaged)
        #expect(!opens(file.url), "bit \(bit) of byte \(place)")
      }
    }
  }

  @Test func opensOrRefusesDamagedIndexes() throws {
    let index = Array(
      """
      {"metadata":{"total_size":3},"weight_map":{"a":"one.safetensors",\
      "b":"one.safetensors","c":"two.safetensors"}}
      """.utf8)
    try folder.write("one.safetensors", SafetensorsFile.named(["a", "b"]))
    try folder.write("two.safetensors", SafetensorsFile.named(["c"]))
    let file = try RewrittenFile(folder, "model.safetensors.index.json")
    var random = SplitMix64(seed: 13)
    var opened = 0
    for _ in 0..<3000 {
      try file.write(Self.damage(index, &random))
      if opens(folder.url) { opened += 1 }
    }
    #expect(opened > 30)
  }
}
