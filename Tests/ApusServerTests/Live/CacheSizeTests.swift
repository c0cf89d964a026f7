import ApusEngine
import Testing

@testable import ApusServer

/// Servers whose KV cache holds less, or more, than full slots need.
@Suite struct CacheSizeTests {
  private static let prompts = ["Tell me about the fox", "Once upon a time", "The dog", "At last they"]

  private static func answers(_ options: TestServer.Options) async throws -> (
    texts: [String], preemptions: Int
  ) {
    let (stream, source) = AsyncStream<([String], Int)>.makeStream()
    try await TestServer.run(options) { server in
      let texts = try await withThrowingTaskGroup(of: (Int, String).self) { tasks in
        for (index, prompt) in prompts.enumerated() {
          tasks.addTask {
            let body = #"{"prompt": "\#(prompt)", "max_tokens": 120, "temperature": 0, "ignore_eos": true}"#
            let reply = try await server.post("/v1/completions", body)
            #expect(reply.status == 200, "\(reply.body)")
            return (index, try reply.json["choices"][0]["text"].string ?? "")
          }
        }
        var texts = [String](repeating: "", count: prompts.count)
        for try await (index, text) in tasks { texts[index] = text }
        return texts
      }
      source.yield((texts, server.metrics.preemptionsTotal))
      source.finish()
    }
    for await answers in stream { return answers }
    return ([], 0)
  }

  @Test func aSmallCacheInterruptsRequestsAndChangesNoAnswer() async throws {
    let roomy = try await Self.answers(TestServer.Options())
    // Each request comes to need four pages.
    let small = try await Self.answers(TestServer.Options(pageCount: 6))
    #expect(roomy.preemptions == 0 && small.preemptions > 0)
    #expect(roomy.texts == small.texts && roomy.texts.allSatisfy { $0.count > 100 })
  }

  @Test(arguments: [(pages: 3, cached: 0), (pages: 12, cached: 64)])
  func aLargeCacheKeepsPromptsThatFullSlotsWouldHaveReplaced(_ size: (pages: Int, cached: Int)) async throws {
    try await TestServer.run(TestServer.Options(slots: 1, context: 96, pageCount: size.pages)) { server in
      var cached: [Int?] = []
      for first in [300, 400, 300] {
        let prompt = (0..<80).map { "\(first + $0)" }.joined(separator: ",")
        let reply = try await server.post("/v1/completions", #"{"prompt": [\#(prompt)], "max_tokens": 4}"#)
        #expect(reply.status == 200, "\(reply.body)")
        cached.append(try reply.json["usage"]["prompt_tokens_details"]["cached_tokens"].integer)
      }
      #expect(cached == [0, 0, size.cached])
    }
  }

  @Test func aRequestThatTheCacheCanNeverHoldIsRefused() async throws {
    try await TestServer.run(TestServer.Options(pageCount: 2)) { server in
      let reply = try await server.post("/v1/completions", #"{"prompt": "Tell me", "max_tokens": 100}"#)
      try reply.expectError(400, message: "pages")
    }
  }
}
