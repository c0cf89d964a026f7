import ApusCheckpoint
import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

@Suite struct CheckpointTests {
  let folder = try! TemporaryFolder()

  func writeIndex(_ weightMap: [String: String]) throws {
    let entries = weightMap.map { "\"\($0.key)\":\"\($0.value)\"" }.joined(separator: ",")
    try folder.write(
      "model.safetensors.index.json", "{\"metadata\":{\"total_size\":4},\"weight_map\":{\(entries)}}")
  }

  func writeShards() throws {
    try folder.write("one.safetensors", SafetensorsFile.named(["a", "b"]))
    try folder.write("two.safetensors", SafetensorsFile.named(["c"]))
  }

  // MARK: - One file

  @Test func opensTheSingleFileOfAFolderBeforeAnIndex() throws {
    try folder.write("model.safetensors", SafetensorsFile.oneTensor())
    try folder.write("model.safetensors.index.json", "not JSON")
    let checkpoint = try Checkpoint.open(folder.url)
    #expect(checkpoint.tensors.map(\.name) == ["w"])
    #expect(checkpoint.directory.path == folder.url.path)
  }

  @Test func followsSymbolicLinks() throws {
    let file = try folder.write("blob", SafetensorsFile.oneTensor())
    let link = folder.url.appending(path: "model.safetensors")
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: file)
    #expect(try Checkpoint.open(folder.url).tensors.count == 1)
  }

  @Test func refusesWhatIsNotThere() throws {
    let missing = folder.url.appending(path: "nothing")
    #expect(
      throws: CheckpointError.notFound(
        path: missing.path, expected: "a folder with a model, or a .safetensors file")
    ) {
      try Checkpoint.open(missing)
    }
    let error = #expect(throws: CheckpointError.self) { try Checkpoint.open(folder.url) }
    guard case .notFound(folder.url.path, _)? = error else { throw try #require(error) }
  }

  @Test func refusesAFolderInPlaceOfAFile() throws {
    let inner = folder.url.appending(path: "model.safetensors")
    try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
    #expect(throws: CheckpointError.notRegularFile(path: inner.path)) { try Checkpoint.open(folder.url) }
  }

  @Test func refusesANamedPipeWithoutWaitingOnIt() throws {
    let pipe = folder.url.appending(path: "model.safetensors")
    try #require(mkfifo(pipe.path, 0o600) == 0)
    #expect(throws: CheckpointError.notRegularFile(path: pipe.path)) { try Checkpoint.open(folder.url) }
  }

  @Test(.enabled(if: geteuid() != 0, "the superuser may read every file"))
  func refusesAnUnreadableFile() throws {
    let file = try folder.write("model.safetensors", SafetensorsFile.oneTensor())
    try #require(chmod(file.path, 0) == 0)
    let error = #expect(throws: CheckpointError.self) { try Checkpoint.open(folder.url) }
    guard case .unreadable(file.path, _)? = error else { throw try #require(error) }
  }

  @Test func tellsWhenAFileChangedItsLength() throws {
    let file = try folder.write("model.safetensors", SafetensorsFile.oneTensor())
    let byteCount = SafetensorsFile.oneTensor().count
    let checkpoint = try Checkpoint.open(file)
    try checkpoint.requireUnchanged()
    try #require(truncate(file.path, off_t(byteCount - 1)) == 0)
    #expect(throws: CheckpointError.changed(path: file.path, byteCount: byteCount - 1, expected: byteCount)) {
      try checkpoint.requireUnchanged()
    }
  }

  // MARK: - Shards

  @Test func opensShardsUnderAnIndex() throws {
    try writeShards()
    try writeIndex(["a": "one.safetensors", "b": "one.safetensors", "c": "two.safetensors"])
    let checkpoint = try Checkpoint.open(folder.url)
    #expect(checkpoint.tensors.map(\.name) == ["a", "b", "c"])
    #expect(checkpoint["c"]?.path.hasSuffix("two.safetensors") == true)
    #expect(checkpoint.metadata.count == 2)
  }

  @Test func refusesAnIndexedTensorThatIsInNoShard() throws {
    try writeShards()
    try writeIndex([
      "a": "one.safetensors", "b": "one.safetensors", "c": "two.safetensors", "d": "two.safetensors",
    ])
    let error = #expect(throws: CheckpointError.self) { try Checkpoint.open(folder.url) }
    guard case .missingFromShard(_, "d", "two.safetensors")? = error else { throw try #require(error) }
  }

  @Test func refusesAShardsTensorThatIsNotIndexed() throws {
    try writeShards()
    try writeIndex(["a": "one.safetensors", "c": "two.safetensors"])
    let error = #expect(throws: CheckpointError.self) { try Checkpoint.open(folder.url) }
    guard case .notInIndex(_, "b")? = error else { throw try #require(error) }
  }

  @Test func refusesATensorInTwoShards() throws {
    try folder.write("one.safetensors", SafetensorsFile.named(["a", "b"]))
    try folder.write("two.safetensors", SafetensorsFile.named(["c", "b"]))
    try writeIndex(["a": "one.safetensors", "b": "one.safetensors", "c": "two.safetensors"])
    let error = #expect(throws: CheckpointError.self) { try Checkpoint.open(folder.url) }
    guard case .notInIndex(let path, "b")? = error else { throw try #require(error) }
    #expect(path.hasSuffix("two.safetensors"))
  }

  @Test func refusesAMissingShard() throws {
    try writeShards()
    try writeIndex(["a": "one.safetensors", "b": "one.safetensors", "c": "three.safetensors"])
    let error = #expect(throws: CheckpointError.self) { try Checkpoint.open(folder.url) }
    guard case .notFound(let path, _)? = error else { throw try #require(error) }
    #expect(path.hasSuffix("three.safetensors"))
  }

  @Test(arguments: [
    "../one.safetensors", "/one.safetensors", "sub/one.safetensors", "..\\\\one.safetensors", ".safetensors",
    "", "..", "one.bin", "one\\u0000.safetensors",
  ])
  func refusesAShardNameThatIsNotPlain(name: String) throws {
    try writeShards()
    try writeIndex(["a": name])
    let error = #expect(throws: CheckpointError.self) { try Checkpoint.open(folder.url) }
    guard case .invalidField(_, "weight_map.a", _, _)? = error else { throw try #require(error) }
  }

  @Test(arguments: [
    "{}", "{\"weight_map\":{}}", "{\"weight_map\":[]}", "{\"weight_map\":{\"a\":1}}", "[]", "",
    "{\"weight_map\":{\"a\":\"one.safetensors\",\"a\":\"two.safetensors\"}}",
  ])
  func refusesAMalformedIndex(index: String) throws {
    try writeShards()
    try folder.write("model.safetensors.index.json", index)
    #expect(throws: CheckpointError.self) { try Checkpoint.open(folder.url) }
  }

  // MARK: - Real files

  @Test(.enabled(if: SharedData.folder != nil, "needs the shared data folder"))
  func opensARealCheckpoint() throws {
    let folder = try #require(SharedData.folder).appending(path: "stories260K-hf")
    let checkpoint = try Checkpoint.open(folder)
    let embedding = try #require(checkpoint["model.embed_tokens.weight"])
    #expect(embedding.shape == [512, 64])
    #expect(embedding.dtype == .f32)
    for tensor in checkpoint.tensors { #expect(tensor.firstNonFinite() == nil) }
  }
}
