import Apus
import ApusKernels
import ApusModel
import Foundation
import FuzzSupport

private let folder: URL = {
  let folder = FileManager.default.temporaryDirectory.appending(path: "apus-fuzz-\(getpid())")
  try! FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  return folder
}()
private let context = try! KernelContext(threadCount: 1)

/// The input is a `config.json`, a zero byte, and a `model.safetensors`: floats, MLX's quantized weights or packed
/// ones. The model is loaded and run for two tokens, or refused by an error.
private func fuzz(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = UnsafeBufferPointer(start: bytes, count: count)
  guard let split = input.firstIndex(of: 0) else { return 0 }
  try! Data(input[..<split]).write(to: folder.appending(path: "config.json"))
  try! Data(input[(split + 1)...]).write(to: folder.appending(path: "model.safetensors"))
  guard let model = try? ModelFiles.folder(folder).open(), let weights = try? model.weights(context: context)
  else { return 0 }
  runTwoTokens(weights, context: context)
  return 0
}

@main struct Fuzzer {
  static func main() { exit(runFuzzer(fuzz)) }
}
