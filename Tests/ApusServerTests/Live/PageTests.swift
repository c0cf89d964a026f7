import Foundation
import Testing

@testable import ApusServer

@Suite struct PageTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Sources/ApusServer/Page")

  @Test func thePageIsForEverybodyAndRunsNothingButItsOwn() async throws {
    try await TestServer.run(TestServer.Options(apiKeys: ["k1"])) { server in
      let page = try await server.send("GET", "/")
      #expect(page.status == 200)
      #expect(page.headers["content-type"] == "text/html; charset=utf-8")
      #expect(page.headers["x-content-type-options"] == "nosniff")
      #expect(page.headers["referrer-policy"] == "no-referrer")
      #expect(page.body.hasPrefix("<!doctype html>"))
      let policy = try #require(page.headers["content-security-policy"]).split(separator: "; ").map(
        String.init)
      for directive in [
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
      ] { #expect(policy.contains(directive), "\(directive)") }
      #expect(!policy.contains { $0.contains("unsafe") || $0.contains("*") || $0.contains("http") })
      try await server.send("POST", "/", "{}").expectError(405, code: "method_not_allowed")
      try await server.send("GET", "/page/nothing.js").expectError(404, code: "unknown_url")
    }
  }

  /// From the page on, what a file names is served, and of the kind that it is named for.
  @Test func whateverTheFilesNameIsThere() async throws {
    try await TestServer.run { server in
      var paths = ["/"]
      var index = 0
      while index < paths.count {
        let reply = try await server.send("GET", paths[index])
        #expect(reply.status == 200, "\(paths[index])")
        let kind = ["js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"]
        let ending = String(paths[index].split(separator: ".").last ?? "")
        #expect(
          reply.headers["content-type"]?.hasPrefix(kind[ending] ?? "text/html") == true, "\(paths[index])")
        for name in Self.references(reply.body, in: paths[index]) where !paths.contains(name) {
          paths.append(name)
        }
        index += 1
      }
      #expect(Set(paths) == Set(PageFile.all.map(\.path)), "a file is served that nothing asks for")
    }
  }

  /// Paths that a page or a script names, made absolute.
  private static func references(_ text: String, in path: String) -> [String] {
    let markup = text.matches(of: /(?:src|href)="(?<name>[^"#]+)"/).map { String($0.output.name) }
    let imports = text.matches(of: /from "(?<name>[^"]+)"/).map { String($0.output.name) }
    return (path.hasSuffix(".svg") ? [] : markup + imports).map { name in
      name.hasPrefix("./") ? "/page/" + name.dropFirst(2) : "/" + name
    }
  }

  @Test func filesAreKeptAndAskedForAgain() async throws {
    try await TestServer.run { server in
      for file in PageFile.all {
        let reply = try await server.send("GET", file.path)
        #expect(reply.headers["cache-control"] == "no-cache")
        let tag = try #require(reply.headers["etag"])
        #expect(tag.hasPrefix("\"") && tag.hasSuffix("\"") && tag.count > 8)
        #expect(Array(reply.body.utf8) == file.bytes, "\(file.path)")
        for header in [tag, "W/\(tag)", "\"other\", \(tag)", "*"] {
          let same = try await server.send("GET", file.path, headers: ["If-None-Match: \(header)"])
          #expect(same.status == 304, "\(header)")
          #expect(same.headers["etag"] == tag)
          #expect(same.body.isEmpty)
        }
        let other = try await server.send("GET", file.path, headers: ["If-None-Match: \"other\""])
        #expect(other.status == 200)
      }
      #expect(Set(PageFile.all.map(\.entityTag)).count == PageFile.all.count)
    }
  }

  @Test func everyFileOfThePageIsServed() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
      .filter { !$0.hasSuffix(".swift") && !$0.hasSuffix(".png") }
    let served = PageFile.all.map { $0.path == "/" ? "page.html" : String($0.path.dropFirst("/page/".count)) }
    #expect(served.sorted() == names.sorted())
    for name in names {
      let text = try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
      #expect(text.split(separator: "\n").count < 500, "\(name)")
      let external = text.matches(of: /https?:\/\/[^"\s]*/).map { String($0.output) }
      #expect(external.filter { !$0.hasPrefix("http://www.w3.org/") } == [], "\(name)")
      #expect(!text.contains("innerHTML"), "\(name)")
    }
  }

  @Test func slotsTellWhatTheyHeldIfAsked() async throws {
    try await TestServer.run(TestServer.Options(slots: 2)) { server in
      let stream = try await server.post(
        "/v1/completions",
        #"{"prompt": "Tell me", "n": 2, "max_tokens": 5, "ignore_eos": true, "stream": true}"#)
      let numbers = try #require(stream.headers["apus-request-ids"]).split(separator: ", ").compactMap {
        Int($0)
      }
      #expect(numbers.count == 2)
      let slots = try await server.send("GET", "/slots?recent=600").json
      let stays = slots.array.flatMap { $0["recent"].array }
      #expect(stays.compactMap { $0["id_task"].integer }.sorted() == numbers.sorted())
      for stay in stays {
        #expect(stay["generated_tokens"].integer == 5)
        #expect(stay["end"].string == "finished")
      }
      #expect(try await server.send("GET", "/slots").json[0]["recent"].value == nil)
      #expect(try await server.send("GET", "/load").json["generation_tokens_total"].integer == 10)
      for value in ["", "-1", "3601", "a", "1e3"] {
        try await server.send("GET", "/slots?recent=\(value)").expectError(400, param: "recent")
      }
    }
  }
}
