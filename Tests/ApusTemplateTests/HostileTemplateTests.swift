import ApusCheckpoint
import ApusTemplate
import Foundation
import Testing

/// Templates that want too much, or are none: a typed error, soon, on a small stack.
@Suite struct HostileTemplateTests {
  private static func nested(_ open: String, _ core: String, _ close: String, _ count: Int = 50_000)
    -> String
  {
    String(repeating: open, count: count) + core + String(repeating: close, count: count)
  }

  static let malformed = [
    "{{", "{%", "{#", "{{ }}", "{% %}", "{{ 1 + }}", "{{ (1 }}", "{{ ] }}", "{{ [1, 2 }}", "{{ {1: } }}",
    "{{ 'a }}",
    "{{ a.}}", "{{ a[ }}", "{{ a | }}", "{{ a is }}", "{{ 1 if }}", "{% if %}{% endif %}", "{% if a %}",
    "{% endif %}",
    "{% for a %}{% endfor %}", "{% for a in %}{% endfor %}", "{% for loop in a %}{% endfor %}",
    "{% set = 1 %}",
    "{% set 1 = 1 %}", "{% set true = 1 %}", "{% macro %}{% endmacro %}", "{% macro m( %}{% endmacro %}",
    "{% macro m(a, a) %}{% endmacro %}", "{% break %}", "{% continue %}", "{% wrong %}", "{% raw %}",
    "{{ $ }}",
    "{{ '\\ud800' }}", "{{ '\\x4' }}", "{{ 1e999 }}", "{{ f(a=1, 2) }}", "{{ a | nofilter }}",
    "{{ a is notest }}",
    "{% for a in b %}{% macro m() %}{% break %}{% endmacro %}{% endfor %}", "{% call 1 %}{% endcall %}",
    "{% for a in b %}{% else %}{% else %}{% endfor %}", "{{ a b }}", "{{ 1 2 }}", "{{ \u{1} }}",
    "{% if a %}{% endfor %}",
  ]

  @Test(arguments: malformed) func whatIsNoJinjaIsRefusedWithItsLine(source: String) {
    #expect { _ = try Template(source: "\n\n" + source) } throws: { error in
      guard case .syntax(let line, _)? = error as? TemplateError else { return false }
      return line == 3
    }
  }

  static let unsupported: [(String, String)] = [
    ("{% include 'x' %}", "include"), ("{% extends 'x' %}", "extends"),
    ("{% block b %}{% endblock %}", "block"),
    ("{% import 'x' as y %}", "import"), ("{% for a in b recursive %}{% endfor %}", "recursive"),
    ("{{ a | pprint }}", "pprint"), ("{{ a | map('urlize') }}", "urlize"), ("{{ lipsum() }}", "lipsum"),
    ("{{ a.encode() }}", "encode"), ("{{ a.__class__ }}", "__class__"), ("{{ é }}", "letters"),
    ("{% autoescape true %}{% endautoescape %}", "autoescape"), ("{{ a[1, 2:3] }}", "slice"),
  ]

  @Test(arguments: unsupported) func whatIsNotHereIsRefusedByNameBeforeAnythingIsRendered(
    _ pair: (String, String)
  ) {
    #expect { _ = try Template(source: "\n" + pair.0) } throws: { error in
      guard case .unsupported(2, let feature)? = error as? TemplateError else { return false }
      return feature.contains(pair.1)
    }
  }

  static let deep: [String] = [
    nested("(", "1", ")"), nested("[", "", "]"), nested("{1:", "1", "}"), nested("-", "1", ""),
    nested("not ", "1", ""),
    nested("a[", "1", "]"), nested("f(", "1", ")"), "a" + nested(".b", "", ""),
    "a" + nested("|upper", "", ""),
    nested("1 if 1 else ", "1", ""), nested("", "1", " if 1"), "a" + nested("()", "", ""),
    "a" + nested("[0]", "", ""),
  ]

  @Test(arguments: deep.indices) func nestingWithoutEndIsRefused(index: Int) {
    expectTooDeep("{{ \(Self.deep[index]) }}")
  }

  @Test(arguments: ["if 1", "for a in b", "set a", "filter trim", "with", "macro m()", "generation"])
  func blocksWithoutEndAreRefused(tag: String) {
    expectTooDeep(String(repeating: "{% \(tag) %}", count: 10_000))
  }

  private func expectTooDeep(_ source: String) {
    #expect { _ = try Template(source: source) } throws: { error in
      if case .tooDeep? = error as? TemplateError { true } else { false }
    }
  }

  /// Long is not deep.
  @Test func aLongSumIsNoNesting() throws {
    let sum = Array(repeating: "1", count: 5000).joined(separator: " + ")
    let text = Array(repeating: "'a'", count: 5000).joined(separator: " ~ ")
    #expect(try Template(source: "{{ \(sum) }}").render(JSONMembers()) == "5000")
    #expect(try Template(source: "{{ (\(text)) | length }}").render(JSONMembers()) == "5000")
  }

  static let greedy: [String] = [
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% macro m(n) %}{{ m(n) ~ m(n) }}{% endmacro %}{{ m(1) }}",
    "{% set r = range(100000) %}{% for a in r %}{% for b in r %}{% for c in r %}{% endfor %}{% endfor %}{% endfor %}",
    "{{ range(100001) }}{% for a in range(100001) %}{% endfor %}", "{{ range(9223372036854775807) | list }}",
    "{{ range(-9223372036854775807, 9223372036854775807) }}", "{{ 'a' * 999999999999 }}",
    "{{ [1] * 999999999999 }}",
    "{% set ns = namespace(x='aaaaaaaa') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
    "{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
    "{% set ns = namespace(x=1) %}{% for i in range(99999) %}{% set ns.x = [ns.x] %}{% endfor %}",
    "{% set ns = namespace(x=[1]) %}{% for i in range(99999) %}{% set ns.x = ns.x | map('int') %}{% endfor %}{{ ns.x | list }}",
    "{% set ns = namespace() %}{% set ns.x = ns %}{{ ns }}", "{{ 'x' | center(999999999) }}",
    "{{ '%999999999d' % 1 }}",
    "{{ '{:>999999999}'.format(1) }}", "{{ 'a\\n' * 100000 | indent(100000) }}",
    "{{ ('a' * 100000) | replace('', 'b' * 100000) }}",
    "{{ [[1]] | tojson(indent=999999999) }}", "{{ 'x'.zfill(999999999) }}", "{{ 'x'.ljust(999999999) }}",
    "{{ range(99999) | slice(99999999999) | list }}", "{{ [1] | batch(99999999999, 0) | list }}",
    "{% set a = 'a' * 4000000 %}{% for i in range(99999) %}{{ a == 'a' * 4000000 }}{% endfor %}",
    "{% set a = 'a' * 4000000 %}{% for i in range(99999) %}{% set b = a.find('aaab') %}{{ a | length }}{% endfor %}",
    "{% set a = 'a' * 4000000 %}{{ a.rsplit('a') | length }}", "{{ 9223372036854775807 + 1 }}",
    "{{ 2 ** 64 }}",
    "{{ (0 - 9223372036854775807 - 1) // -1 }}", "{{ 10 ** 99999999 }}", "{{ 1 / 0 }}", "{{ 1 % 0 }}",
    "{{ 1.5 // 0 }}",
    "{{ [1][::0] }}", "{{ [1, 2, 3][::9223372036854775807] }}{{ 1/0 }}", "{{ raise_exception('no') }}",
    "{{ missing.attribute }}", "{{ missing() }}", "{{ none.x.y }}", "{{ 1() }}", "{{ 'a' + 1 }}",
    "{{ 'a' < 1 }}",
    "{% for a in 1 %}{% endfor %}", "{% set x.y = 1 %}", "{% set a, b = [1] %}", "{{ [].append(1) }}",
    "{{ {}.update() }}",
    "{{ {[]: 1} }}", "{{ namespace(_x=1) }}", "{{ x | map('no') | list }}{{ [1] | map('no') | list }}",
    "{{ [1] | map }}{{ [1] | map | list }}", "{{ '%d' % 'x' }}", "{{ '%s' % () }}", "{{ '{}'.format() }}",
    "{{ '{' .format() }}",
    "{{ [none, 1] | sort }}", "{{ dict([1]) }}", "{{ range(1, 2, 0) }}", "{{ strftime_now('%Q') }}",
    "{{ 'a'.join([1]) }}",
  ]

  @Test(.timeLimit(.minutes(4)), arguments: greedy.indices)
  func whatAsksForTooMuchOrMakesNoSenseIsATypedError(index: Int) throws {
    // A fraction of what is allowed otherwise: debug builds are slow.
    var limits = TemplateLimits()
    limits.stepCountMax = 1 << 16
    let started = ContinuousClock.now
    #expect(throws: TemplateError.self) {
      try Template(source: Self.greedy[index], limits: limits).render(
        JSONMembers(), now: TemplateFixtures.now)
    }
    #expect(ContinuousClock.now - started < .seconds(60))
  }

  /// The stack of a secondary thread on Darwin.
  @Test func theDeepestTemplateThatIsReadFitsASmallStack() async throws {
    let calls =
      "{% macro m(n) %}{% if n %}{{ ((((m(n - 1) ~ ''))))|trim }}{% endif %}{% endmacro %}{{ m(10000) }}"
    let expression = "{{ " + Self.nested("[", "1", "]", 40) + " }}"
    let blocks = Self.nested("{% if true %}", "x", "{% endif %}", 40)
    let done = try await withCheckedThrowingContinuation { continuation in
      let thread = Thread {
        continuation.resume(
          with: Result {
            try [calls, expression, blocks].map { source in
              do throws(TemplateError) {
                return try Template(source: source).render(JSONMembers(), now: TemplateFixtures.now)
              } catch {
                guard case .tooDeep = error else { throw error }
                return "too deep"
              }
            }
          })
      }
      thread.stackSize = 512 << 10
      thread.start()
    }
    #expect(done == ["too deep", Self.nested("[", "1", "]", 40), "x"])
  }

  @Test func limitsAreKept() throws {
    var limits = TemplateLimits()
    limits.sourceByteCountMax = 10
    #expect(throws: TemplateError.tooLarge(byteCount: 11, limit: 10)) {
      try Template(source: "01234567890", limits: limits)
    }
    limits = TemplateLimits()
    limits.textByteCountMax = 10
    let long = try Template(source: "\n{{ '01234567890' }}", limits: limits)
    #expect(throws: TemplateError.tooMuchText(line: 2, limit: 10)) { try long.render(JSONMembers()) }
    limits = TemplateLimits()
    limits.stepCountMax = 100
    let slow = try Template(source: "\n{% for a in range(200) %}{% endfor %}", limits: limits)
    #expect(throws: TemplateError.tooManySteps(line: 2, limit: 100)) { try slow.render(JSONMembers()) }
    let wide = try Template(source: "{{ range(100001) }}")
    #expect(throws: TemplateError.rangeTooLarge(line: 1, limit: 100_000)) { try wide.render(JSONMembers()) }
    let refusing = try Template(source: "{{ raise_exception('Only user roles') }}")
    #expect(throws: TemplateError.raised(message: "Only user roles")) { try refusing.render(JSONMembers()) }
  }

  /// Templates cut anywhere, and with any byte changed, render or are refused.
  @Test func brokenTemplatesNeverCrash() throws {
    for name in ["chatml", "typescript", "kitchen"] {
      let url = TemplateFixtures.folder.appending(path: "templates/\(name).jinja")
      let source = Array(try String(contentsOf: url, encoding: .utf8).utf8)
      var generator = SystemRandomNumberGenerator()
      for _ in 0..<300 {
        var bytes = source
        if Bool.random(using: &generator) { bytes.removeLast(Int.random(in: 0..<bytes.count)) }
        for _ in 0..<Int.random(in: 0..<4) where !bytes.isEmpty {
          bytes[Int.random(in: 0..<bytes.count)] = UInt8.random(in: 32..<127)
        }
        let broken = String(decoding: bytes, as: UTF8.self)
        let variables = JSONMembers([
          ("messages", .array([.object(ChatMessage(role: "user", content: "Hi").members)])), ("tools", .null),
        ])
        _ = try? Template(source: broken).render(variables, now: TemplateFixtures.now)
      }
    }
  }
}
