import ApusKernels
import ApusModel
import TestSupport
import Testing

/// What a session may be made for.
@Suite struct SessionSizeTests {
  private func session(slots: Int = 2, context: Int = 64, rows: Int = 8, pages: Int? = nil) throws
    -> TransformerSession
  {
    let kernels = try KernelContext(threadCount: 1)
    let weights = try PackedWeights(
      directory: ReferenceFixture("qwen2-untied-odd").directory, type: .f32, context: kernels)
    return try TransformerSession(
      weights, context: kernels, slotCount: slots, contextLength: context, rowsPerStepMax: rows,
      pageCount: pages)
  }

  @Test func aSizeOutOfRangeIsRefusedByItsNameAndValue() throws {
    let refused: [(field: String, found: Int, make: () throws -> TransformerSession)] = [
      ("slotCount", 0, { try session(slots: 0) }),
      ("slotCount", 4097, { try session(slots: 4097, rows: 8192) }),
      ("contextLength", 0, { try session(context: 0) }), ("rowsPerStepMax", 1, { try session(rows: 1) }),
      ("pageCount", 0, { try session(pages: 0) }), ("pageCount", 1 << 40, { try session(pages: 1 << 40) }),
    ]
    for (field, found, make) in refused {
      #expect {
        _ = try make()
      } throws: {
        guard case .session(field, found, _) = $0 as? ModelError else { return false }
        return true
      }
    }
  }

  @Test func aPoolMayHoldFewerOrMorePagesThanFullSlotsNeed() throws {
    #expect(try session().pageCount == 4)
    #expect(try session(pages: 1).pageCount == 1)
    #expect(try session(pages: 100).pageCount == 100)
  }
}
