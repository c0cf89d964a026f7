import ApusKernels

/// Keys and values of every slot: one pool of pages for each layer, page numbers shared by all layers, and the
/// table of which page holds which positions of which slot.
///
/// Memory is reserved in full when the cache is made; the system backs it as pages are first written.
final class KVCache {
  let layout: KVLayout
  let slotCount: Int
  let pageCount: Int
  /// Pages one slot may hold.
  let pagesPerSlot: Int
  private let layerCount: Int
  private let memory: KernelMemory
  private let layerByteCount: Int
  /// `[slotCount, pagesPerSlot]`; -1 where no page is assigned.
  private let pageTable: UnsafeMutablePointer<Int32>

  /// Where there are pages for all or more, slot `s` holds the pages from `s * pagesPerSlot` on until others are
  /// assigned.
  init(
    layout: KVLayout, layerCount: Int, pageCount: Int, slotCount: Int, pagesPerSlot: Int
  ) throws(KernelError) {
    self.layout = layout
    self.layerCount = layerCount
    self.pageCount = pageCount
    self.slotCount = slotCount
    self.pagesPerSlot = pagesPerSlot
    layerByteCount = pageCount * (layout.keyPageByteCount + layout.valuePageByteCount)
    memory = try KernelMemory(byteCount: layerCount * layerByteCount)
    pageTable = .allocate(capacity: slotCount * pagesPerSlot)
    for entry in 0..<slotCount * pagesPerSlot {
      pageTable[entry] = pageCount >= slotCount * pagesPerSlot ? Int32(entry) : -1
    }
  }

  deinit { pageTable.deallocate() }

  var byteCount: Int { memory.byteCount }

  func assign(page: Int32, slot: Int, index: Int) {
    precondition(
      (0..<slotCount).contains(slot) && (0..<pagesPerSlot).contains(index), "slot \(slot), page \(index)")
    precondition(page >= 0 && Int(page) < pageCount, "page \(page) of \(pageCount)")
    pageTable[slot * pagesPerSlot + index] = page
  }

  /// Whether pages are assigned to all of these positions.
  func holds(slot: Int, positions: Range<Int>) -> Bool {
    guard let last = positions.last, last / KVLayout.pageSize < pagesPerSlot else { return positions.isEmpty }
    return (positions.lowerBound / KVLayout.pageSize...last / KVLayout.pageSize).allSatisfy {
      pageTable[slot * pagesPerSlot + $0] >= 0
    }
  }

  func copyPage(_ source: Int32, to target: Int32) {
    precondition(source >= 0 && Int(source) < pageCount, "page \(source) of \(pageCount)")
    precondition(target >= 0 && Int(target) < pageCount, "page \(target) of \(pageCount)")
    for index in 0..<layerCount {
      let pages = layer(index)
      for (pool, byteCount) in [
        (pages.keys, layout.keyPageByteCount), (pages.values, layout.valuePageByteCount),
      ] {
        (pool + Int(target) * byteCount).copyMemory(
          from: pool + Int(source) * byteCount, byteCount: byteCount)
      }
    }
  }

  /// The pools of one layer: keys first, then values.
  func layer(_ index: Int) -> KVPages {
    let base = memory.base + index * layerByteCount
    return KVPages(
      layout: layout, keys: base, values: base + pageCount * layout.keyPageByteCount,
      pageTable: UnsafePointer(pageTable), pagesPerSlot: pagesPerSlot)
  }
}
