import Foundation

/// Runs work that recurses as deep as a template asks for, within `TemplateLimits.depthMax`, on a thread whose stack is
/// known to hold it. Callers' stacks are not: secondary threads have 512 KB on Darwin, and Swift's shared pool has what
/// the system gives.
enum DeepStack {
  /// Memory the system backs only as it is touched. A level takes some ten frames, in a debug build up to 40 KB.
  static let byteCount = 32 << 20

  static func run<R>(_ body: () throws(TemplateError) -> R) throws(TemplateError) -> R {
    try withoutActuallyEscaping(body) { (body) throws(TemplateError) -> R in
      let work = Work(body)
      let thread = Thread { work.run() }
      thread.stackSize = byteCount
      thread.start()
      return try work.wait().get()
    }
  }

  /// The caller waits until the thread is through, so each side has the body and the result to itself.
  private final class Work<R>: @unchecked Sendable {
    private var body: (() throws(TemplateError) -> R)?
    private var result: Result<R, TemplateError>?
    private let done = DispatchSemaphore(value: 0)

    init(_ body: @escaping () throws(TemplateError) -> R) { self.body = body }

    func run() {
      do throws(TemplateError) {
        result = .success(try body!())
      } catch {
        result = .failure(error)
      }
      body = nil
      done.signal()
    }

    func wait() -> Result<R, TemplateError> {
      done.wait()
      guard let result else { preconditionFailure("work that ended has a result") }
      return result
    }
  }
}
