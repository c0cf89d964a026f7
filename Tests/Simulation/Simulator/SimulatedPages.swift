import ApusEngine

/// The KV cache of a simulation as the model has it: page tables that follow what plans say, and for each position of
/// each page what was written there.
struct SimulatedPages {
  let pageSize: Int
  let pageCount: Int
  private(set) var tables: [[Int32]]
  /// Slots that hold each page.
  private(set) var holders: [Int]
  /// Slots that came to share a page in this step, in which another may still fill it.
  private var joined: [(slot: Int, page: Int32)] = []
  /// `[pageCount, pageSize]`; 0: never written.
  private var contents: [UInt64]

  init(pageCount: Int, pageSize: Int, slotCount: Int) {
    self.pageSize = pageSize
    self.pageCount = pageCount
    tables = Array(repeating: [], count: slotCount)
    holders = Array(repeating: 0, count: pageCount)
    contents = Array(repeating: 0, count: pageCount * pageSize)
  }

  var heldCount: Int { holders.count { $0 > 0 } }

  /// A step is planned.
  mutating func begin() { joined.removeAll(keepingCapacity: true) }

  mutating func assign(_ assignment: PageAssignment) throws(Violation) {
    guard tables.indices.contains(assignment.slot), (0..<Int32(pageCount)).contains(assignment.page),
      assignment.index == tables[assignment.slot].count
    else { throw Violation("\(assignment) does not continue the table of its slot") }
    guard !tables[assignment.slot].contains(assignment.page) else {
      throw Violation("\(assignment): the slot holds the page already")
    }
    tables[assignment.slot].append(assignment.page)
    if holders[Int(assignment.page)] > 0 { joined.append((assignment.slot, assignment.page)) }
    holders[Int(assignment.page)] += 1
  }

  mutating func copy(_ copy: PageCopy) throws(Violation) {
    guard copy.source != copy.target, (0..<Int32(pageCount)).contains(copy.source),
      (0..<Int32(pageCount)).contains(copy.target), ownerCount(copy.target) == 1
    else { throw Violation("\(copy) is not to a page of one sequence") }
    for offset in 0..<pageSize {
      contents[Int(copy.target) * pageSize + offset] = contents[Int(copy.source) * pageSize + offset]
    }
  }

  /// Slots that hold `page` and did not find it in this step.
  private func ownerCount(_ page: Int32) -> Int { holders[Int(page)] - joined.count { $0.page == page } }

  mutating func release(slot: Int) {
    for page in tables[slot] { holders[Int(page)] -= 1 }
    tables[slot] = []
  }

  /// A page is written by the one that holds it, or that held it before others found it in this step.
  mutating func write(_ content: UInt64, slot: Int, position: Int) throws(Violation) {
    guard position / pageSize < tables[slot].count else {
      throw Violation("slot \(slot) has no page for position \(position)")
    }
    let page = Int(tables[slot][position / pageSize])
    guard ownerCount(Int32(page)) == 1, !joined.contains(where: { $0 == (slot, Int32(page)) }) else {
      throw Violation("slot \(slot) writes position \(position) to page \(page), which \(holders[page]) hold")
    }
    contents[page * pageSize + position % pageSize] = content
  }

  /// Checks that the first positions of `slot` hold what they should.
  func check(slot: Int, hold expected: ArraySlice<UInt64>) throws(Violation) {
    let table = tables[slot]
    for (position, content) in expected.enumerated() {
      guard position / pageSize < table.count else {
        throw Violation("slot \(slot) has no page for position \(position)")
      }
      let found = contents[Int(table[position / pageSize]) * pageSize + position % pageSize]
      guard found == content else {
        throw Violation(
          "position \(position) of slot \(slot), on page \(table[position / pageSize]), holds "
            + (found == 0 ? "nothing" : "another text"))
      }
    }
  }
}
