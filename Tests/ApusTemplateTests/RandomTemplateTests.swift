import ApusCheckpoint
import ApusTemplate
import Foundation
import Testing

/// Random templates against the texts that transformers' Jinja made of them.
@Suite struct RandomTemplateTests {
  @Test(arguments: ["expressions.jsonl", "programs.jsonl"])
  func randomTemplatesRenderAsInJinja(file: String) throws {
    let lines = try TemplateFixtures.lines(TemplateFixtures.folder.appending(path: file))
    let head = try #require(lines[0].members)
    let variables = try #require(head["variables"]?.members)
    let prelude = try #require(head["prelude"]?.text)
    var differing: [String] = []
    var tooLarge = 0
    for line in lines.dropFirst() {
      let parts = try #require(line.array)
      let source = try #require(parts[0].text)
      let wanted = Rendering(parts.count > 1 ? parts[1].text : nil)
      let found: Rendering
      do throws(TemplateError) {
        found = Rendering(try Template(source: prelude + source).render(variables, now: TemplateFixtures.now))
      } catch {
        if case .integerOverflow = error { tooLarge += 1 }
        if case .integerOverflow = error { continue }
        found = Rendering(nil, problem: "\(error)")
      }
      if found != wanted { differing.append("\(source.debugDescription): \(found), expected \(wanted)") }
    }
    #expect(lines.count > 2000)
    #expect(differing == [])
    // Integers of Python have any size, ours 64 bits.
    #expect(tooLarge < 10)
  }
}
