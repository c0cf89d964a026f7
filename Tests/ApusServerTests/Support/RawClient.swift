import Dispatch
import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A TCP connection to this machine that does exactly what it is told. Calls that block run on threads of
/// their own.
final class RawClient: Sendable {
  struct Failure: Error { let what: String }

  private let descriptor: CInt

  init(port: Int, receiveBufferByteCount: CInt? = nil) throws {
    #if canImport(Glibc)
      let stream = CInt(SOCK_STREAM.rawValue)
    #else
      let stream = SOCK_STREAM
    #endif
    descriptor = socket(AF_INET, stream, 0)
    if let count = receiveBufferByteCount { set(SO_RCVBUF, count) }
    set(SO_RCVTIMEO, timeval(tv_sec: 120, tv_usec: 0))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else { throw Failure(what: "connect: \(errno)") }
  }

  deinit { Foundation.close(descriptor) }

  private func set<Value>(_ option: CInt, _ value: Value) {
    var value = value
    setsockopt(descriptor, SOL_SOCKET, option, &value, socklen_t(MemoryLayout<Value>.size))
  }

  /// False: the server has closed.
  @discardableResult func send(_ text: String) async -> Bool {
    await blocking { descriptor in
      var bytes = Array(text.utf8)[...]
      while !bytes.isEmpty {
        #if canImport(Darwin)
          let flags: CInt = 0
        #else
          let flags = CInt(MSG_NOSIGNAL)
        #endif
        let count = bytes.withUnsafeBytes { Foundation.send(descriptor, $0.baseAddress, $0.count, flags) }
        if count <= 0 { return false }
        bytes = bytes.dropFirst(count)
      }
      return true
    }
  }

  /// Some bytes; none at the end, nil after two minutes of nothing or an error.
  func receive() async -> [UInt8]? {
    await blocking { descriptor in
      var bytes = [UInt8](repeating: 0, count: 65536)
      let count = recv(descriptor, &bytes, bytes.count, 0)
      return count < 0 ? nil : Array(bytes.prefix(count))
    }
  }

  /// All up to the end that the server sets.
  func receiveAll() async -> String {
    var all: [UInt8] = []
    while let bytes = await receive(), !bytes.isEmpty { all += bytes }
    return String(decoding: all, as: UTF8.self)
  }

  /// All up to a text, or to the end.
  func receive(until mark: String) async -> String {
    var all: [UInt8] = []
    while !String(decoding: all, as: UTF8.self).contains(mark), let bytes = await receive(), !bytes.isEmpty {
      all += bytes
    }
    return String(decoding: all, as: UTF8.self)
  }

  /// Says that nothing more will be sent.
  func finishSending() { shutdown(descriptor, CInt(SHUT_WR)) }

  /// Goes without a word: the peer gets a reset.
  func reset() {
    set(SO_LINGER, linger(l_onoff: 1, l_linger: 0))
    shutdown(descriptor, CInt(SHUT_RD))
  }

  private func blocking<Value: Sendable>(_ body: @escaping @Sendable (CInt) -> Value) async -> Value {
    await withCheckedContinuation { continuation in
      let thread = Thread { [self] in continuation.resume(returning: body(descriptor)) }
      thread.start()
    }
  }
}
