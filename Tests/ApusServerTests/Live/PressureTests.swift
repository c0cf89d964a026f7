import ApusEngine
import ServiceLifecycle
import Testing
@testable import ApusServer

/// Full queues, time limits, clients that go, and the server's end.
@Suite struct PressureTests {
  /// One request that holds a slot for seconds, if nobody ends it.
  private static let long = #"{"prompt": "Tell me", "max_tokens": 200, "ignore_eos": true, "stream": true}"#
  private static let quiet = #"{"prompt": "Tell me", "max_tokens": 200, "ignore_eos": true}"#

  private static func slow(_ change: (inout TestServer.Options) -> Void = { _ in }) -> TestServer.Options {
    var options = TestServer.Options(slots: 1, stepDelay: 0.01)
    change(&options)
    return options
  }

  private static func expectIdle(_ server: TestServer) async {
    await server.wait("nothing runs") {
      let metrics = server.metrics
      return metrics.requestsRunning == 0 && metrics.requestsWaiting == 0 && metrics.pagesHeld == 0
    }
  }

  @Test func aFullQueueIs429WithATimeToComeBack() async throws {
    try await TestServer.run(Self.slow { $0.queueLengthMax = 2 }) { server in
      let first = try RawClient(port: server.port)
      await first.send(TestServer.request("POST", "/v1/completions", Self.long))
      await server.wait("the first runs") { server.metrics.requestsRunning == 1 }
      let second = try RawClient(port: server.port)
      await second.send(
        TestServer.request("POST", "/v1/completions", Self.quiet.replacing("}", with: #", "n": 2}"#)))
      await server.wait("two wait") { server.metrics.requestsWaiting == 2 }
      let refused = try await server.post("/v1/completions", Self.quiet)
      try refused.expectError(429, code: "queue_full")
      #expect(Int(refused.headers["retry-after"] ?? "") ?? 0 >= 1)
    }
  }

  @Test(arguments: [false, true]) func aClientThatGoesWhileDecodingFreesItsSlot(_ streams: Bool) async throws
  {
    try await TestServer.run(Self.slow()) { server in
      do {
        let client = try RawClient(port: server.port)
        await client.send(TestServer.request("POST", "/v1/completions", streams ? Self.long : Self.quiet))
        await server.wait("it decodes") { server.metrics.generationTokensTotal > 3 }
      }
      let steps = server.metrics.stepsTotal
      await Self.expectIdle(server)
      // Steps that ran until the end was noticed; a hundredth of a second each, on a machine that may be
      // busy.
      #expect(server.metrics.stepsTotal - steps < 150)
      #expect(server.metrics.requestsCancelled == 1)
    }
  }

  @Test(arguments: [false, true])
  func aClientThatGoesWhileItsRequestWaitsForTheRunningStepIsNotQueued(_ streams: Bool) async throws {
    try await TestServer.run(TestServer.Options(slots: 2, stepDelay: 1)) { server in
      let running = try RawClient(port: server.port)
      await running.send(TestServer.request("POST", "/v1/completions", Self.long))
      await server.wait("the next step runs") { server.metrics.generationTokensTotal > 0 }
      let gone = try RawClient(port: server.port)
      await gone.send(TestServer.request("POST", "/v1/completions", streams ? Self.long : Self.quiet))
      gone.finishSending()
      try HTTPReply(await gone.receiveAll()).expectError(499, code: "gone")
      #expect(server.metrics.requestsTotal == 1)
    }
  }

  @Test func aClientThatIsResetFreesItsSlot() async throws {
    try await TestServer.run(Self.slow()) { server in
      do {
        let client = try RawClient(port: server.port)
        await client.send(TestServer.request("POST", "/v1/completions", Self.quiet))
        await server.wait("it decodes") { server.metrics.generationTokensTotal > 3 }
        client.reset()
      }
      await Self.expectIdle(server)
      #expect(server.metrics.requestsCancelled == 1)
    }
  }

  @Test func aClientThatIsResetWhileItSendsIsNoFailureOfTheServer() async throws {
    let log = TestLog()
    var options = TestServer.Options()
    options.log = log
    try await TestServer.run(options) { server in
      do {
        let client = try RawClient(port: server.port)
        await client.send(
          TestServer.request("POST", "/v1/completions", Self.quiet, headers: ["Expect: 100-continue"])
            .replacing(Self.quiet, with: "{"))
        // The head was read, the body is not there.
        #expect(await client.receive(until: "\r\n\r\n").contains("100 Continue"))
        client.reset()
      }
      await server.wait("that is seen") { log.contains("a client went while it sent") }
    }
    #expect(log.complaints == [])
  }

  @Test func aClientThatStopsSendingCountsAsGone() async throws {
    try await TestServer.run(Self.slow()) { server in
      let client = try RawClient(port: server.port)
      await client.send(TestServer.request("POST", "/v1/completions", Self.quiet))
      await server.wait("it decodes") { server.metrics.generationTokensTotal > 3 }
      client.finishSending()
      await Self.expectIdle(server)
      #expect(server.metrics.requestsCancelled == 1)
    }
  }

  @Test func aClientThatGoesInTheQueueNeverRuns() async throws {
    try await TestServer.run(Self.slow()) { server in
      let first = try RawClient(port: server.port)
      await first.send(TestServer.request("POST", "/v1/completions", Self.quiet))
      await server.wait("the first runs") { server.metrics.requestsRunning == 1 }
      do {
        let second = try RawClient(port: server.port)
        await second.send(TestServer.request("POST", "/v1/completions", Self.long))
        await server.wait("one waits") { server.metrics.requestsWaiting == 1 }
      }
      await server.wait("none waits") { server.metrics.requestsWaiting == 0 }
      #expect(server.metrics.requestsRunning == 1)
      #expect(server.metrics.requestsCancelled == 1)
    }
  }

  @Test func aClientThatGoesInPrefillFreesItsSlot() async throws {
    try await TestServer.run(
      Self.slow {
        $0.prefillStep = 1; $0.stepDelay = 0.02
      }
    ) { server in
      let prompt = String(repeating: "fox ", count: 300)
      do {
        let client = try RawClient(port: server.port)
        await client.send(TestServer.request("POST", "/v1/completions", #"{"prompt": "\#(prompt)"}"#))
        await server.wait("it is read") { server.metrics.promptTokensTotal > 3 }
      }
      await Self.expectIdle(server)
      #expect(server.metrics.promptTokensTotal < 250)
      #expect(server.metrics.generationTokensTotal == 0)
    }
  }

  @Test func timeLimitsEndRequestsWithTheirStatus() async throws {
    try await TestServer.run(Self.slow { $0.requestTimeout = .milliseconds(300) }) { server in
      try await server.post("/v1/completions", Self.quiet).expectError(504, code: "request_timeout")
      // A stream has begun: the error is an event.
      let stream = try await server.post("/v1/completions", Self.long)
      #expect(stream.status == 200)
      #expect(try stream.events.last?["error"]["code"].string == "request_timeout")
    }
    try await TestServer.run(Self.slow { $0.queueTimeout = .milliseconds(200) }) { server in
      let first = try RawClient(port: server.port)
      await first.send(TestServer.request("POST", "/v1/completions", Self.quiet))
      await server.wait("the first runs") { server.metrics.requestsRunning == 1 }
      let late = try await server.post("/v1/completions", Self.quiet)
      try late.expectError(503, code: "queue_timeout")
      #expect(late.headers["retry-after"] != nil)
    }
  }

  @Test func aStreamThatWaitsSaysThatItLives() async throws {
    try await TestServer.run(Self.slow { $0.limits.keepAliveInterval = .milliseconds(50) }) { server in
      let first = try RawClient(port: server.port)
      await first.send(TestServer.request("POST", "/v1/completions", Self.quiet))
      await server.wait("the first runs") { server.metrics.requestsRunning == 1 }
      let second = try RawClient(port: server.port)
      await second.send(TestServer.request("POST", "/v1/completions", Self.long))
      #expect(await second.receive(until: ": keep-alive\n\n").contains("200 OK"))
    }
  }

  /// Some megabytes of answer, which the sockets between do not hold.
  private static let bulky = #"""
    {"messages": [{"role": "user", "content": "Tell me"}], "max_tokens": 480, "ignore_eos": true,
    "logprobs": true, "top_logprobs": 20, "n": 4, "stream": true}
    """#

  @Test func aClientThatDoesNotReadIsDropped() async throws {
    var options = TestServer.Options()
    options.limits.writeTimeout = .milliseconds(300)
    try await TestServer.run(options) { server in
      let client = try RawClient(port: server.port, receiveBufferByteCount: 2048)
      await client.send(TestServer.request("POST", "/v1/chat/completions", Self.bulky))
      await server.wait("it ends") { server.metrics.requestsLength + server.metrics.requestsCancelled == 4 }
      try await Task.sleep(for: .seconds(2))
      let text = await client.receiveAll()
      #expect(text.contains("200 OK"))
      #expect(!text.contains("[DONE]"))
      #expect(try await server.post("/v1/completions", #"{"prompt": "a"}"#).status == 200)
    }
  }

  @Test func whatAClientDoesNotReadIsBounded() async throws {
    var options = TestServer.Options(unreadTokensMax: 50, stepDelay: 0.002)
    options.limits.writeTimeout = .seconds(600)
    try await TestServer.run(options) { server in
      let client = try RawClient(port: server.port, receiveBufferByteCount: 2048)
      await client.send(TestServer.request("POST", "/v1/chat/completions", Self.bulky))
      await server.wait("all end") { server.metrics.requestsLength + server.metrics.requestsCancelled == 4 }
      #expect([server.metrics.requestsLength, server.metrics.requestsCancelled] == [0, 4])
      await Self.expectIdle(server)
    }
  }

  @Test func atItsEndTheServerFinishesWhatRunsAndTakesNothingNew() async throws {
    try await TestServer.run(
      Self.slow {
        $0.slots = 2; $0.stepDelay = 0.005
      }
    ) { server in
      let stream = try RawClient(port: server.port)
      await stream.send(
        TestServer.request("POST", "/v1/completions", Self.long, headers: ["Connection: close"]))
      let whole = try RawClient(port: server.port)
      await whole.send(
        TestServer.request("POST", "/v1/completions", Self.quiet, headers: ["Connection: close"]))
      await server.wait("both run") { server.metrics.requestsRunning == 2 }
      await server.group.triggerGracefulShutdown()
      var ready = try await server.send("GET", "/ready")
      for _ in 0..<100 where ready.status == 200 { ready = try await server.send("GET", "/ready") }
      #expect(ready.status == 503)
      #expect(try ready.json["status"].string == "draining")
      #expect(try await server.send("GET", "/health").status == 200)
      let refused = try await server.post("/v1/completions", Self.quiet)
      try refused.expectError(503, code: "draining")
      #expect(refused.headers["retry-after"] != nil)
      let answer = try HTTPReply(await whole.receiveAll())
      #expect(try answer.json["usage"]["completion_tokens"].integer == 200)
      #expect(
        try HTTPReply(await stream.receiveAll()).events.last?["choices"][0]["finish_reason"].string
          == "length")
    }
  }

  @Test func theEndComesAlthoughARequestTakesTooLong() async throws {
    try await TestServer.run(
      Self.slow {
        $0.stepDelay = 0.1; $0.limits.drainTimeout = .milliseconds(300)
      }
    ) { server in
      let client = try RawClient(port: server.port)
      await client.send(TestServer.request("POST", "/v1/completions", Self.quiet))
      await server.wait("it runs") { server.metrics.requestsRunning == 1 }
      await server.group.triggerGracefulShutdown()
      try HTTPReply(await client.receiveAll()).expectError(503, code: "draining")
    }
  }
}
