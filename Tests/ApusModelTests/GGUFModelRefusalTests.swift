import ApusCheckpoint
import ApusKernels
import ApusModel
import Foundation
import TestSupport
import Testing

/// Files whose metadata or tensors make no model that the engine runs.
@Suite final class GGUFModelRefusalTests {
  let url = FileManager.default.temporaryDirectory.appending(path: "apus-model-\(UUID().uuidString).gguf")

  deinit { try? FileManager.default.removeItem(at: url) }

  /// What the refusal says after the file's name.
  func refusal(_ file: TinyGGUF) throws -> String {
    try Data(file.bytes).write(to: url)
    do throws(ModelError) {
      _ = try PackedWeights.open(gguf: url)
      return "opened"
    } catch {
      return String(error.description.dropFirst(url.path.count + 2))
    }
  }

  func refusal(setting pairs: GGUFBytes.Pair...) throws -> String {
    var file = TinyGGUF()
    for pair in pairs { file.set(pair) }
    return try refusal(file)
  }

  @Test func opensWhatIsRight() throws {
    #expect(try refusal(TinyGGUF()) == "opened")
    try Data(TinyGGUF().bytes).write(to: url)
    let configuration = try PackedWeights.open(gguf: url).0
    #expect(configuration.vocabularySize == 4 && configuration.headSize == 4)
    #expect(configuration.kvHeadCount == 2 && configuration.tiedEmbeddings)
    #expect(configuration.rope == RopeConfiguration(theta: 10000))
    #expect(configuration.bosTokenID == nil && configuration.eosTokenIDs == [])
    #expect(configuration.slidingWindows == [nil] && configuration.dtype == .f32)
  }

  @Test func namesOtherArchitectures() throws {
    #expect(
      try refusal(setting: .string("general.architecture", "gemma"))
        == "general.architecture \"gemma\" is not supported; supported is llama, qwen2, qwen3")
    #expect(
      try refusal(setting: .uint32("general.architecture", 3))
        == "field general.architecture is 3; expected a string")
    var file = TinyGGUF()
    file.remove("general.architecture")
    #expect(try refusal(file) == "field general.architecture is missing; expected a string")
  }

  @Test(arguments: [
    "embedding_length", "block_count", "attention.head_count", "context_length", "feed_forward_length",
  ])
  func asksForEverySize(name: String) throws {
    var file = TinyGGUF()
    file.remove("llama.\(name)")
    #expect(try refusal(file).hasPrefix("field llama.\(name) is missing; expected an integer from 1 to"))
    let zero = try refusal(setting: .uint32("llama.\(name)", 0))
    #expect(zero.hasPrefix("field llama.\(name) is 0; expected an integer from 1 to"))
    let huge = try refusal(setting: .uint32("llama.\(name)", .max))
    #expect(huge.hasPrefix("field llama.\(name) is 4294967295; expected an integer from 1 to"))
  }

  @Test func asksForAPositiveEpsilon() throws {
    let key = "llama.attention.layer_norm_rms_epsilon"
    let expected = "expected a positive number that a float can hold"
    var file = TinyGGUF()
    file.remove(key)
    #expect(try refusal(file) == "field \(key) is missing; \(expected)")
    #expect(try refusal(setting: .float(key, 0)) == "field \(key) is 0.0; \(expected)")
    #expect(try refusal(setting: .float(key, .nan)) == "field \(key) is nan; expected a finite number")
  }

  @Test func refusesHeadsThatDoNotFit() throws {
    #expect(
      try refusal(setting: .uint32("llama.attention.head_count_kv", 3)).hasPrefix(
        "field llama.attention.head_count_kv is 3, which contradicts llama.attention.head_count 2"))
    #expect(
      try refusal(setting: .uint32("llama.attention.head_count", 3)).hasPrefix(
        "field llama.embedding_length is 8, which contradicts llama.attention.head_count 3"))
    #expect(
      try refusal(setting: .uint32("llama.attention.key_length", 3))
        == "llama.attention.key_length 3 is not supported; supported is an even size")
    #expect(
      try refusal(setting: .uint32("llama.attention.value_length", 8))
        == "llama.attention.value_length 8 is not supported; supported is 4, the length of keys")
    #expect(
      try refusal(setting: .uint32("llama.rope.dimension_count", 2))
        == "llama.rope.dimension_count 2 is not supported; supported is 4, the whole head")
    // Another number of heads in each layer.
    let counts = GGUFBytes.Pair.array(
      "llama.attention.head_count_kv", of: 4, count: 1, GGUFBytes.little(UInt32(2)))
    #expect(
      try refusal(setting: counts).hasPrefix("field llama.attention.head_count_kv is an array of 1; expected")
    )
  }

  @Test(arguments: [
    "llama.expert_count", "llama.logit_scale", "llama.attention.clamp_kqv", "llama.attention.sliding_window",
    "split.count",
  ])
  func refusesSettingsThatWouldBeLeftOut(key: String) throws {
    #expect(try refusal(setting: .uint32(key, 2)).hasPrefix("\(key) 2 is not supported; supported is"))
    #expect(try refusal(setting: .uint32(key, 0)) == "opened")
  }

  @Test func refusesRotaryScalingsItDoesNotKnow() throws {
    #expect(
      try refusal(setting: .string("llama.rope.scaling.type", "yarn"))
        == "llama.rope.scaling.type \"yarn\" is not supported; supported is none and linear")
    #expect(
      try refusal(setting: .float("llama.rope.scaling.factor", 0.5))
        == "field llama.rope.scaling.factor is 0.5; expected a number of at least 1")
    #expect(
      try refusal(setting: .float("llama.rope.freq_base", -1))
        == "field llama.rope.freq_base is -1.0; expected a positive number that a float can hold")
    var file = TinyGGUF()
    file.tensors.append(("rope_freqs.weight", [2]))
    // Counted bytes: neither ones nor what Llama 3.1 would have.
    #expect(
      try refusal(file).hasSuffix("is not supported; supported is those of Llama 3.1's scaling"))
    file.tensors[file.tensors.count - 1].sizes = [3]
    #expect(
      try refusal(file)
        == "tensor \"rope_freqs.weight\" has shape [3] of F32; expected [2] of F32")
  }

  @Test func readsLinearScaling() throws {
    func scaling(_ pairs: GGUFBytes.Pair...) throws -> RopeScaling {
      var file = TinyGGUF()
      for pair in pairs { file.set(pair) }
      try Data(file.bytes).write(to: url)
      return try PackedWeights.open(gguf: url).0.rope.scaling
    }
    let linear = GGUFBytes.Pair.string("llama.rope.scaling.type", "linear")
    #expect(try scaling(linear, .float("llama.rope.scaling.factor", 4)) == .linear(factor: 4))
    #expect(try scaling(.float("llama.rope.scaling.factor", 2)) == .linear(factor: 2))
    #expect(try scaling(.float("llama.rope.scale_linear", 8)) == .linear(factor: 8))
    #expect(try scaling(linear) == .none)
    let none = GGUFBytes.Pair.string("llama.rope.scaling.type", "none")
    #expect(try scaling(none, .float("llama.rope.scaling.factor", 4)) == .none)
  }

  /// Theta 500,000, 16 elements a head, trained for 8,192 positions: default over scaled frequencies as
  /// transformers 5 computes them.
  static let llama3Divisors: [Float: [Float]] = [
    8: [1, 0.99999994, 1, 0.99999994, 2.6945305, 7.9999995, 8, 8],
    32: [1, 0.99999994, 1, 0.99999994, 3.2922628, 31.999998, 32, 32],
  ]

  func scaling(divisors: [Float], theta: Float = 500_000) throws -> RopeScaling {
    var file = TinyGGUF()
    file.set(.uint32("llama.attention.key_length", 16))
    file.set(.float("llama.rope.freq_base", theta))
    for index in file.tensors.indices {
      switch file.tensors[index].name {
      case "blk.0.attn_q.weight", "blk.0.attn_k.weight", "blk.0.attn_v.weight":
        file.tensors[index].sizes = [8, 32]
      case "blk.0.attn_output.weight": file.tensors[index].sizes = [32, 8]
      default: break
      }
    }
    file.tensors.append(("rope_freqs.weight", [8]))
    file.values["rope_freqs.weight"] = divisors
    try Data(file.bytes).write(to: url)
    return try PackedWeights.open(gguf: url).0.rope.scaling
  }

  @Test(arguments: [Float(8), 32])
  func findsTheScalingOfRotaryDivisors(factor: Float) throws {
    let divisors = try #require(Self.llama3Divisors[factor])
    #expect(
      try scaling(divisors: divisors)
        == .llama3(
          factor: Double(factor), lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContextLength: 8192))
    #expect(try scaling(divisors: Array(repeating: 1, count: 8)) == .none)
    for index in divisors.indices {
      var wrong = divisors
      wrong[index] *= 1.001
      #expect(throws: ModelError.self) { try scaling(divisors: wrong) }
      wrong[index] = .nan
      #expect(throws: ModelError.self) { try scaling(divisors: wrong) }
    }
    #expect(throws: ModelError.self) { try scaling(divisors: divisors, theta: 400_000) }
  }

  @Test func refusesTensorsThatDoNotFitTheConfiguration() throws {
    for index in TinyGGUF().tensors.indices {
      var file = TinyGGUF()
      let name = file.tensors.remove(at: index).name
      let message = try refusal(file)
      #expect(message.contains(name) && message.contains("missing"), "\(message)")
    }
    var file = TinyGGUF()
    file.tensors[3].sizes = [8, 4]
    #expect(
      try refusal(file)
        == "tensor blk.0.attn_q.weight has shape [4, 8]; the configuration expects [8, 8]")
    file = TinyGGUF()
    file.tensors[0].sizes = [8]
    #expect(
      try refusal(file).hasPrefix("tensor \"token_embd.weight\" has shape [8]; expected [vocabulary, hidden]")
    )
    file = TinyGGUF()
    file.tensors.append(("blk.1.attn_q.weight", [8, 8]))
    #expect(
      try refusal(file)
        == "tensor \"blk.1.attn_q.weight\" is not part of the model that its configuration describes")
  }

  /// Damaged files: each loads, or is refused by a typed error.
  @Test func loadsOrRefusesDamagedFiles() throws {
    let context = try KernelContext(threadCount: 1)
    let valid = TinyGGUF().bytes
    var random = SplitMix64(seed: 23)
    var loaded = 0
    try Data(valid).write(to: url)
    let handle = try FileHandle(forUpdating: url)
    for _ in 0..<4000 {
      let damaged = GGUFBytes.damaged(valid, &random)
      try handle.seek(toOffset: 0)
      try handle.write(contentsOf: Data(damaged))
      try handle.truncate(atOffset: UInt64(damaged.count))
      do throws(ModelError) {
        _ = try PackedWeights(gguf: url, context: context)
        loaded += 1
      } catch {
        #expect(error.description.contains(url.path))
      }
    }
    #expect(loaded > 300 && loaded < 3000)
  }
}
