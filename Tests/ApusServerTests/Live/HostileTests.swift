import Foundation
import Testing

@testable import ApusServer

/// What is no HTTP, too much of it, or too slow.
@Suite struct HostileTests {
  private static func post(_ headers: String, _ body: String = "") -> String {
    "POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\(headers)\r\n\r\n\(body)"
  }

  @Test func whatIsNoHTTPIsRefusedWithAnErrorThatSaysSo() async throws {
    try await TestServer.run { server in
      for text in [
        "hello\r\n\r\n", "GET /health HTTP/9.9\r\n\r\n", "GET /health\r\n\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}",
        Self.post("Content-Length: 5\r\nContent-Length: 6", "{}   "),
        Self.post("Content-Length: 5\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
        Self.post("Content-Length: -1"), Self.post("Content-Length: 99999999999999999999"),
        "GET /health HTTP/1.1\r\nHost: a\r\nbad header\r\n\r\n",
      ] {
        let client = try RawClient(port: server.port)
        await client.send(text)
        client.finishSending()
        let reply = await client.receiveAll()
        try HTTPReply(reply).expectError(400, code: "invalid_http")
        #expect(reply.contains("Connection: close"))
      }
    }
  }

  @Test func headersThatAreTooLargeAreRefused() async throws {
    try await TestServer.run { server in
      for headers in [
        "X-A: " + String(repeating: "a", count: 1 << 20),
        (0..<4000).map { "X-\($0): \(String(repeating: "b", count: 200))" }.joined(separator: "\r\n"),
      ] {
        let client = try RawClient(port: server.port)
        Task { await client.send("GET /health HTTP/1.1\r\n\(headers)\r\n\r\n") }
        try HTTPReply(await client.receiveAll()).expectError(431, code: "headers_too_large")
      }
    }
  }

  @Test func bodiesThatAreTooLargeAreRefusedHoweverTheyCome() async throws {
    var options = TestServer.Options()
    options.limits.bodyByteCountMax = 100_000
    try await TestServer.run(options) { server in
      let client = try RawClient(port: server.port)
      let body = String(repeating: " ", count: 1 << 24)
      Task { await client.send(Self.post("Content-Length: \(body.utf8.count)", body)) }
      try HTTPReply(await client.receiveAll()).expectError(413, code: "body_too_large")
      let chunked = try RawClient(port: server.port)
      let chunk = "8000\r\n" + String(repeating: " ", count: 0x8000) + "\r\n"
      Task {
        await chunked.send(Self.post("Transfer-Encoding: chunked"))
        for _ in 0..<10_000 { guard await chunked.send(chunk) else { return } }
      }
      try HTTPReply(await chunked.receiveAll()).expectError(413, code: "body_too_large")
      // Who asks first is told before sending.
      let asking = try RawClient(port: server.port)
      await asking.send(Self.post("Content-Length: 100001\r\nExpect: 100-continue"))
      #expect(await asking.receiveAll().hasPrefix("HTTP/1.1 413"))
      let patient = try RawClient(port: server.port)
      await patient.send(Self.post("Content-Length: 15\r\nExpect: 100-continue"))
      #expect(await patient.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 100 Continue"))
      await patient.send(#"{"prompt": "a"}"#)
      #expect(await patient.receive(until: "usage").contains("HTTP/1.1 200 OK"))
    }
  }

  @Test func jsonThatIsTooDeepIsRefused() async throws {
    try await TestServer.run { server in
      for text in ["[", #"{"a":"#] {
        let body = #"{"prompt": "# + String(repeating: text, count: 100_000)
        try await server.post("/v1/completions", body).expectError(400, code: "invalid_json")
      }
    }
  }

  @Test func slowHeadsAndBodiesAreEndedAndIdleConnectionsClosed() async throws {
    var options = TestServer.Options()
    options.limits.headTimeout = .milliseconds(300)
    options.limits.bodyTimeout = .milliseconds(300)
    // Long beside what a busy machine takes between a connection and its first bytes.
    options.limits.idleTimeout = .seconds(4)
    try await TestServer.run(options) { server in
      let head = try RawClient(port: server.port)
      await head.send("GET /health HTTP/1.1\r\nX-Slow: aaaaaaaaaaaaaaaaa")
      try HTTPReply(await head.receiveAll()).expectError(408, code: "request_timeout")
      let body = try RawClient(port: server.port)
      await body.send(Self.post("Content-Length: 100", "{"))
      try HTTPReply(await body.receiveAll()).expectError(408, code: "request_timeout")
      let idle = try RawClient(port: server.port)
      #expect(await idle.receiveAll().isEmpty)
      // Also after an answer.
      let kept = try RawClient(port: server.port)
      await kept.send(TestServer.request("GET", "/health"))
      #expect(await kept.receiveAll().hasSuffix("}"))
    }
  }

  @Test func aConnectionTooManyIsToldSo() async throws {
    var options = TestServer.Options()
    options.limits.connectionCountMax = 2
    try await TestServer.run(options) { server in
      let first = try RawClient(port: server.port)
      await first.send(TestServer.request("GET", "/health"))
      #expect(await first.receive(until: "}").contains("200"))
      do {
        let second = try RawClient(port: server.port)
        await second.send(TestServer.request("GET", "/health"))
        #expect(await second.receive(until: "}").contains("200"))
        let third = try RawClient(port: server.port)
        let refused = try HTTPReply(await third.receiveAll())
        try refused.expectError(503, code: "too_many_connections")
        #expect(refused.headers["retry-after"] == "1")
      }
      // Who goes makes room.
      for attempt in 0..<100 {
        let next = try RawClient(port: server.port)
        await next.send(TestServer.request("GET", "/health"))
        if await next.receive(until: "}").contains("200") { break }
        #expect(attempt < 99)
        try await Task.sleep(for: .milliseconds(20))
      }
    }
  }

  @Test func requestsThatComeTogetherAreAnsweredInTheirOrder() async throws {
    try await TestServer.run { server in
      let client = try RawClient(port: server.port)
      let body = #"{"prompt": "Tell me", "max_tokens": 4}"#
      await client.send(
        TestServer.request("GET", "/health") + TestServer.request("POST", "/v1/completions", body)
          + TestServer.request("GET", "/version", headers: ["Connection: close"]))
      let text = await client.receiveAll()
      let places = ["\"status\"", "text_completion", "\"version\""].map { text.range(of: $0)?.lowerBound }
      #expect(places.allSatisfy { $0 != nil })
      #expect(places.compactMap { $0 } == places.compactMap { $0 }.sorted())
    }
  }

  @Test func garbageBehindARequestDoesNotCutItsAnswer() async throws {
    try await TestServer.run { server in
      let client = try RawClient(port: server.port)
      await client.send(TestServer.request("GET", "/health") + "garbage\r\n\r\n")
      let text = await client.receiveAll()
      #expect(text.contains("{\"status\":\"ok\"}") || text.contains("400 Bad Request"))
    }
  }
}
