import Foundation
import Testing

@testable import ApusServer

@Suite struct JSONTextTests {
  @Test func keepsTheOrderOfMembers() {
    let value: JSONText = ["z": .integer(1), "a": .null, "m": ["b": .boolean(true), "a": .array([])]]
    #expect(value.text == #"{"z":1,"a":null,"m":{"b":true,"a":[]}}"#)
  }

  @Test func escapesWhatEndsALineForSomeReader() {
    let text = "a\"b\\c\n\r\t\u{0}\u{1F}\u{7F}\u{85}\u{2028}\u{2029}é😀/"
    #expect(
      JSONText.string(text).text
        == #""a\"b\\c\n\r\t\u0000\u001f\u007f\u0085\u2028\u2029é😀/""#)
  }

  @Test func writesStringsThatFoundationReadsBack() throws {
    let text = String(String.UnicodeScalarView((0...0x3000).compactMap { Unicode.Scalar($0 as UInt32) }))
    let read = try JSONDecoder().decode([String].self, from: Data(JSONText.array([.string(text)]).text.utf8))
    #expect(read[0].unicodeScalars.elementsEqual(text.unicodeScalars))
  }

  @Test func writesNumbersThatReadBackEqual() throws {
    for value in [Float(-0.8548907), 1e-30, .leastNonzeroMagnitude, 3.4e38, -0, 16_777_215] {
      let text = JSONText.array([.float(value)]).text
      let read = try JSONDecoder().decode([Float].self, from: Data(text.utf8))
      #expect(read == [value], "\(text)")
    }
    #expect(JSONText.unsigned(.max).text == "18446744073709551615")
  }

  @Test func writesNullForWhatJSONCannotSay() {
    #expect(JSONText.float(.nan).text == "null")
    #expect(JSONText.float(-.infinity).text == "null")
    #expect(JSONText.double(.infinity).text == "null")
  }
}
