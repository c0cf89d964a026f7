import Apus
import ApusKernels
import ApusModel
import Foundation
import FuzzSupport

private let file = FileManager.default.temporaryDirectory.appending(path: "apus-fuzz-\(getpid()).gguf")
private let context = try! KernelContext(threadCount: 1)

/// The input is a GGUF file: its model is loaded and run for two tokens, or refused by an error.
private func fuzz(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let bytes else { return 0 }
  try! Data(bytesNoCopy: UnsafeMutableRawPointer(mutating: bytes), count: count, deallocator: .none).write(
    to: file)
  guard let files = try? ModelLocation.gguf(file).files() else { return 0 }
  if let weights = try? files.open().weights(context: context) { runTwoTokens(weights, context: context) }
  return 0
}

@main struct Fuzzer {
  static func main() { exit(runFuzzer(fuzz)) }
}
