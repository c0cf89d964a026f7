import ApusEngine
import TestSupport
import Testing

struct PromptLookupTests {
  private func draft(_ tokens: [Int32], limit: Int = 4) -> [Int32]? {
    PromptLookup.draft(tokens, limit: limit).map { Array(tokens[$0]) }
  }

  @Test func triesWhatFollowedTheSameEndEarlier() {
    #expect(draft([1, 2, 3, 4, 5, 9, 1, 2]) == [3, 4, 5, 9])
    #expect(draft([1, 2, 3, 4, 5, 9, 1, 2], limit: 2) == [3, 4])
  }

  @Test func triesNothingWithoutAnEarlierOccurrence() {
    #expect(draft([1, 2, 3, 4, 5]) == nil)
    // One token alone is no occurrence.
    #expect(draft([1, 2, 3, 9, 2]) == nil)
    for tokens in [[], [1], [1, 1]] as [[Int32]] { #expect(draft(tokens) == nil) }
    #expect(draft([1, 2, 3, 1, 2], limit: 0) == nil)
  }

  @Test func theLongestOccurrenceIsTakenBeforeANewerOne() {
    #expect(draft([5, 6, 7, 8, 20, 9, 7, 8, 30, 5, 6, 7, 8], limit: 1) == [20])
  }

  @Test func ofEquallyLongOnesTheNewestIsTaken() {
    #expect(draft([7, 8, 20, 1, 7, 8, 30, 2, 7, 8], limit: 1) == [30])
  }

  @Test func aRunOfOneTokenGoesOn() {
    #expect(draft([3, 3, 3, 3])?.first == 3)
  }

  /// Against a search that compares every end with every other.
  @Test(arguments: 0..<10)
  func agreesWithASearchThatTriesAll(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for _ in 0..<300 {
      let tokens = (0..<random.nextInt(0...40)).map { _ in Int32(random.nextInt(0...2)) }
      let limit = random.nextInt(0...6)
      var best: (length: Int, end: Int)?
      for end in stride(from: tokens.count - 1, to: 0, by: -1) {
        let length = zip(tokens[..<end].reversed(), tokens.reversed()).prefix { $0 == $1 }.count
        let counted = min(length, PromptLookup.matchMax)
        if counted >= PromptLookup.matchMin, counted > best?.length ?? 0 { best = (counted, end) }
      }
      let expected = best.flatMap { limit > 0 ? $0.end..<min($0.end + limit, tokens.count) : nil }
      #expect(PromptLookup.draft(tokens, limit: limit) == expected, "\(tokens), \(limit)")
    }
  }
}

struct DraftRecordTests {
  /// A machine on which a row more costs next to nothing, and one whose arithmetic is full.
  private let idle = StepCosts(fixed: 0.02, perRow: 0.0002, perPosition: 0)
  private let full = StepCosts(fixed: 0, perRow: 0.001, perPosition: 0)

  private func record(drafted: Int, accepted: Int, times: Int) -> DraftRecord {
    var record = DraftRecord()
    for _ in 0..<times { record.record(drafted: drafted, accepted: accepted) }
    return record
  }

  @Test func draftsFullyWhereGuessesAreRight() {
    let record = record(drafted: 8, accepted: 8, times: 10)
    #expect(record.acceptance > 0.95)
    #expect(record.count(limit: 8, rows: 1, costs: idle) == 8)
    #expect(record.count(limit: 3, rows: 1, costs: idle) == 3)
  }

  @Test func draftsNothingWhereGuessesAreWrong() {
    let record = record(drafted: 4, accepted: 0, times: 40)
    #expect(record.acceptance < 0.01)
    #expect(record.count(limit: 8, rows: 1, costs: idle) == 0)
  }

  @Test func draftsNothingWhereTheBatchFillsTheArithmetic() {
    let record = record(drafted: 8, accepted: 8, times: 100)
    #expect(record.count(limit: 8, rows: 1, costs: full) == 0)
  }

  @Test func moreRowsLeaveLessToDraft() {
    let record = record(drafted: 2, accepted: 1, times: 20)
    let counts = [1, 8, 32, 128, 512].map { record.count(limit: 8, rows: $0, costs: idle) }
    #expect(counts == counts.sorted(by: >) && counts.first! > counts.last!)
  }

  @Test func tokensAfterTheFirstWrongOneSayNothing() {
    var (long, short) = (DraftRecord(), DraftRecord())
    long.record(drafted: 8, accepted: 1)
    short.record(drafted: 2, accepted: 1)
    #expect(long == short)
  }

  /// What was hopeless and is not any more is found out: by letting chances pass, it gets to try again.
  @Test func aRequestWhoseTextBeginsToRepeatIsFoundOut() {
    var record = record(drafted: 1, accepted: 0, times: 100)
    var passes = 0
    while record.count(limit: 8, rows: 1, costs: idle) == 0 {
      record.pass()
      passes += 1
    }
    #expect((2...60).contains(passes))
    for _ in 0..<20 {
      let count = record.count(limit: 8, rows: 1, costs: idle)
      record.record(drafted: count, accepted: count)
      if count == 0 { record.pass() }
    }
    #expect(record.count(limit: 8, rows: 1, costs: idle) == 8)
  }
}

/// Drafts in the scheduler's plans.
struct DraftPlanTests {
  /// A request that has generated `1, 2, 3, 4, 1, 2` and decodes alone.
  private func driver(
    slots: Int = 2, maxTokens: Int = 30, rows: Int = 64, pages: Int? = nil
  ) throws -> SchedulerDriver {
    var driver = SchedulerDriver(slots: slots, rows: rows, pages: pages, draftMax: 4)
    driver.promptToken = { id, position in
      id == 1 ? [1, 2, 3, 4, 1][position % 5] : Int32(100 * id) + Int32(position)
    }
    try driver.submit(1, prompt: 5, maxTokens: maxTokens)
    while driver.scheduler.request(id(1))?.isDecoding == false { driver.step(token: 2) }
    return driver
  }

  private func outcome(_ tokens: [Int32], _ driver: inout SchedulerDriver) -> [SchedulerEvent] {
    var outcome = StepOutcome()
    outcome.beginRun()
    for token in tokens { outcome.append(token) }
    var events: [SchedulerEvent] = []
    driver.scheduler.finish(driver.plan, outcome: outcome, events: &events)
    return events
  }

  @Test func guessesAreRowsAfterTheNewestToken() throws {
    var driver = try driver()
    var events: [SchedulerEvent] = []
    #expect(driver.plan(events: &events) == [[1, 0, 5, 4]])
    #expect(driver.plan.tokenIDs == [2, 3, 4, 1])
    #expect(driver.plan.draftRowCount == 3 && driver.plan.decodeRowCount == 1 && driver.plan.logitCount == 4)
  }

  @Test func goesOnAfterTheGuessesThatWereRight() throws {
    var driver = try driver()
    var events: [SchedulerEvent] = []
    _ = driver.plan(events: &events)
    // Two were right, and the token after them is another.
    let given = outcome([3, 4, 9], &driver)
    #expect(given.count == 3)
    let request = try #require(driver.scheduler.request(id(1)))
    #expect(request.tokens == [1, 2, 3, 4, 1, 2, 3, 4, 9])
    #expect(request.computed == 8 && request.isDecoding)
    #expect(driver.plan(events: &events) == [[1, 0, 8, 1]])
  }

  @Test func aStopTokenAmongTheGuessesEndsTheRequestThere() throws {
    var driver = SchedulerDriver(draftMax: 4)
    driver.promptToken = { _, position in [1, 2, 3, 4, 1][position % 5] }
    try driver.submit(1, prompt: 5, maxTokens: 30, stop: [4])
    driver.step(token: 2)
    var events: [SchedulerEvent] = []
    _ = driver.plan(events: &events)
    let given = outcome([3, 4], &driver)
    #expect(given.last == .finished(id(1), slot: 0, reason: .stop(token: 4)))
    #expect(driver.scheduler.isIdle && driver.scheduler.memory.heldCount == 0)
  }

  @Test func guessesNoFurtherThanMaxTokens() throws {
    for maxTokens in 2...4 {
      var driver = try driver(maxTokens: maxTokens)
      var events: [SchedulerEvent] = []
      _ = driver.plan(events: &events)
      #expect(driver.plan.draftRowCount == maxTokens - 2)
    }
  }

  @Test func guessesNothingBesidePrompts() throws {
    var driver = try driver()
    try driver.submit(2, prompt: 12, maxTokens: 2)
    var events: [SchedulerEvent] = []
    _ = driver.plan(events: &events)
    #expect(driver.plan.draftRowCount == 0 && driver.plan.prefillRowCount == 8)
  }

  @Test func guessesWithinTheRowsOfAStep() throws {
    var driver = try driver(rows: 3)
    var events: [SchedulerEvent] = []
    _ = driver.plan(events: &events)
    #expect(driver.plan.rowCount == 3)
  }

  @Test func guessesTakeNoPageThatIsNotFree() throws {
    // Positions 0...7 are the request's; a third page, for position 8, the other takes in this step.
    var driver = SchedulerDriver(slots: 2, prefillStep: 16, pages: 4, draftMax: 4)
    driver.promptToken = { id, position in id == 1 ? [1, 2, 3, 4, 1][position % 5] : Int32(100 + position) }
    try driver.submit(1, prompt: 5, maxTokens: 12)
    try driver.submit(2, prompt: 4, maxTokens: 12)
    driver.step(token: 2)
    var events: [SchedulerEvent] = []
    _ = driver.plan(events: &events)
    #expect(driver.plan.runs.first?.rowCount == 3 && driver.plan.waitingForPages == [])
    #expect(driver.scheduler.runningCount == 2)
  }
}
