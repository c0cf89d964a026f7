import ApusCheckpoint
import ApusEngine

/// Reads a recording line by line. Lines are hostile until read: depth and size of their JSON are the parser's, the
/// numbers of requests and tokens bounded here.
///
/// Plans, admissions and preemptions are checked and counted but not kept.
public struct RecordingParser: Sendable {
  public static let requestCountMax = 1 << 20
  public static let tokenCountMax = 1 << 26

  /// No context is longer.
  private static let positionMax = 1 << 31

  static let names = [
    "header", "arrival", "admitted", "reused", "step", "tokens", "preempted", "finished", "dropped", "end",
  ]

  private var result: Recording?
  private var places: [RequestID: Int] = [:]
  private var tokenCount = 0
  /// The line read last; the first is 1.
  public private(set) var lineNumber = 0

  public init() {}

  /// - Parameter isCutOff: the line has no end.
  public mutating func append(_ line: String, isCutOff: Bool = false) throws(RecordingError) {
    lineNumber += 1
    if isCutOff { throw .truncated(line: lineNumber) }
    do {
      try take(line)
    } catch let error as RecordingError {
      throw error
    } catch let error as CheckpointError {
      guard result != nil else { throw .notARecording(line: lineNumber, found: "no JSON object") }
      throw .malformed(line: lineNumber, problem: error.description)
    } catch {
      throw .malformed(line: lineNumber, problem: "line \(lineNumber): \(error)")
    }
  }

  /// What was read.
  public func recording() throws(RecordingError) -> Recording {
    guard let result else { throw .empty }
    return result
  }

  private mutating func take(_ line: String) throws {
    var line = line
    let object = try line.withUTF8 { bytes in
      try JSONObject(parsing: UnsafeRawBufferPointer(bytes), file: "line \(lineNumber)")
    }
    guard object.members.count == 1, let name = object.members.keys.first else {
      let found = "an object of \(object.members.count) members"
      guard result != nil else { throw RecordingError.notARecording(line: lineNumber, found: found) }
      throw RecordingError.malformed(
        line: lineNumber, problem: "line \(lineNumber): \(found); expected one, named for what it records")
    }
    guard result != nil || name == "header" else {
      throw RecordingError.notARecording(line: lineNumber, found: "a record named \(quoted(name))")
    }
    if result?.isComplete == true {
      throw RecordingError.outOfOrder(line: lineNumber, problem: "a record after the end")
    }
    guard Self.names.contains(name) else {
      throw RecordingError.unknownRecord(line: lineNumber, name: quoted(name))
    }
    try take(try object.object(name), named: name)
  }

  private mutating func take(_ record: JSONObject, named name: String) throws {
    switch name {
    case "header": try takeHeader(record)
    case "arrival": try takeArrival(record)
    case "tokens": try takeTokens(record)
    case "finished": try takeFinish(record)
    case "step":
      _ = try record.integer("start")
      _ = try record.integer("end")
      _ = try record.array("runs")
      result!.stepCount += 1
    case "dropped":
      let count = try record.integer("records", in: 1...Int.max)
      let (sum, overflow) = result!.droppedCount.addingReportingOverflow(count)
      result!.droppedCount = overflow ? .max : sum
    case "end": result!.isComplete = true
    case "admitted", "reused", "preempted": _ = try record.requestID("request")
    default: break
    }
  }

  private mutating func takeHeader(_ record: JSONObject) throws {
    guard result == nil else {
      throw RecordingError.outOfOrder(line: lineNumber, problem: "a second header")
    }
    let format = try record.integer("format")
    guard format == RecordingHeader.formatVersion else {
      throw RecordingError.format(line: lineNumber, found: format)
    }
    result = Recording(header: try RecordingHeader(record))
  }

  private mutating func takeArrival(_ record: JSONObject) throws {
    let arrival = try RequestArrival(record)
    guard places[arrival.id] == nil else {
      throw RecordingError.outOfOrder(line: lineNumber, problem: "\(arrival.id) arrives twice")
    }
    guard result!.requests.count < Self.requestCountMax else {
      throw RecordingError.tooMany(line: lineNumber, what: "requests", limit: Self.requestCountMax)
    }
    try count(arrival.promptTokens.count + arrival.generatedTokens.count)
    places[arrival.id] = result!.requests.count
    result!.requests.append(RecordedRequest(arrival: arrival))
  }

  private mutating func takeTokens(_ record: JSONObject) throws {
    let entries = try record.array("tokens")
    try count(entries.count)
    for entry in entries {
      guard case .array(let values) = entry, (3...4).contains(values.count),
        case .integer(let id) = values[0], id >= 0, case .integer(let position) = values[1],
        (0...Self.positionMax).contains(position), case .integer(let token) = values[2],
        let token = Int32(exactly: token), token >= 0
      else {
        throw record.invalid("tokens", expected: "arrays of request, position, token and hash")
      }
      var logprobs: ContentHash?
      if values.count == 4 {
        guard case .string(let digits) = values[3], let hash = ContentHash(digits) else {
          throw record.invalid("tokens", expected: "hashes of 16 hexadecimal digits")
        }
        logprobs = hash
      }
      // Of a request whose arrival was dropped nothing can be run again.
      guard let place = try place(of: RequestID(rawValue: UInt64(id))) else { continue }
      guard position >= result!.requests[place].firstPosition,
        result!.requests[place].tokens.updateValue(.init(id: token, logprobs: logprobs), forKey: position)
          == nil
      else {
        throw RecordingError.outOfOrder(
          line: lineNumber, problem: "request \(id) has no token to come at position \(position)")
      }
    }
  }

  private mutating func takeFinish(_ record: JSONObject) throws {
    guard let place = try place(of: record.requestID("request")) else { return }
    guard result!.requests[place].finish == nil else {
      throw RecordingError.outOfOrder(
        line: lineNumber, problem: "\(result!.requests[place].arrival.id) ends twice")
    }
    let reason = try record.string("reason")
    guard RecordedFinish.names.contains(reason) else {
      throw record.invalid("reason", expected: RecordedFinish.names.joined(separator: ", "))
    }
    result!.requests[place].finish = RecordedFinish(
      reason: reason, detail: try record.integerIfPresent("detail"),
      digest: TokenDigest(
        count: try record.integer("count", in: 0...Self.tokenCountMax), tokens: try record.hash("tokens"),
        logprobs: try record.hash("logprobs")))
  }

  /// Nil: its arrival was dropped.
  private func place(of id: RequestID) throws -> Int? {
    if let place = places[id] { return place }
    guard result!.droppedCount > 0 else {
      throw RecordingError.outOfOrder(line: lineNumber, problem: "\(id) has not arrived")
    }
    return nil
  }

  private mutating func count(_ tokens: Int) throws {
    tokenCount += tokens
    guard tokenCount <= Self.tokenCountMax else {
      throw RecordingError.tooMany(line: lineNumber, what: "tokens", limit: Self.tokenCountMax)
    }
  }
}
