import BenchmarkSupport
import Testing

@Suite struct FormattingTests {
  @Test func numbersShowThreeDigits() {
    #expect(formatted(0.12345) == "0.123")
    #expect(formatted(0.9996) == "1.00")
    #expect(formatted(1.234) == "1.23")
    #expect(formatted(9.996) == "10.0")
    #expect(formatted(99.96) == "100")
    #expect(formatted(12345.6) == "12,346")
    #expect(formatted(Double.nan) == "-")
    #expect(formatted(nil) == "-")
    #expect(formattedPercent(0.974) == "97 %")
    #expect(formattedPercent(nil) == "-")
    #expect(grouped(-1_234_567) == "-1,234,567")
    #expect(grouped(999) == "999")
    #expect(formattedBandwidth(20.04e9) == "20.0 GB/s")
    #expect(formattedBytes(988_000_000) == "988.0 MB")
  }

  @Test func tablesAlignNumbersUnderTheirHeaders() {
    var table = TextTable(header: ["batch", "decode\ntokens/s"])
    table.append(["1", "20.1"])
    table.append(["8 static", "1,234"])
    #expect(
      table.text() == """
                    decode
        batch     tokens/s
        --------  --------
        1             20.1
        8 static     1,234
        """)
  }

  @Test func markdownTablesHaveOneLineARow() {
    var table = TextTable(header: ["batch", "decode\ntokens/s"])
    table.append(["a|b", "1"])
    #expect(
      table.markdown() == """
        | batch | decode tokens/s |
        |---|---:|
        | a\\|b | 1 |
        """)
  }

  @Test func fieldsWithCommasAndQuotesAreQuoted() {
    #expect(commaSeparated(["a", "b,c", "d\"e", "f\ng", ""]) == "a,\"b,c\",\"d\"\"e\",\"f\ng\",")
  }

  @Test func textIsWrappedAtSpacesAndKeepsItsLines() {
    #expect(wrapped("one two three", width: 7) == "one two\nthree")
    #expect(wrapped("one\n\ntwo", width: 10, indent: "  ") == "  one\n\n  two")
    #expect(wrapped("aa bb", width: 6, indent: "  ") == "  aa\n  bb")
    #expect(wrapped("unbreakable", width: 4) == "unbreakable")
    let long = String(repeating: "some words ", count: 40)
    let lines = wrapped(long, width: 100, indent: "  ").split(separator: "\n")
    #expect(lines.allSatisfy { $0.count <= 100 })
    #expect(lines.count > 4)
  }

  @Test func excerptsEndAfterAWord() {
    #expect(excerpt("short", length: 10) == "short")
    #expect(excerpt("one two three", length: 9) == "one two ...")
    #expect(excerpt("unbreakable", length: 4) == "unbr ...")
  }
}
