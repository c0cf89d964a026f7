import Apus
import Foundation
import FuzzSupport

private let file = FileManager.default.temporaryDirectory.appending(path: "apus-fuzz-\(getpid()).gguf")

/// The input is a GGUF file: its tokenizer is made and used, or refused by an error.
private func fuzz(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let bytes else { return 0 }
  try! Data(bytesNoCopy: UnsafeMutableRawPointer(mutating: bytes), count: count, deallocator: .none).write(
    to: file)
  guard let files = try? ModelLocation.gguf(file).files() else { return 0 }
  if let tokenizer = try? files.tokenizer(), let ids = try? tokenizer.encode("a b\u{E9} <s>") {
    _ = try? tokenizer.decode(ids)
  }
  return 0
}

@main struct Fuzzer {
  static func main() { exit(runFuzzer(fuzz)) }
}
