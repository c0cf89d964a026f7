import ApusKernels

/// Keys and values of every slot: one pool of pages for each layer, page numbers shared by all layers.
///
/// Memory is reserved in full when the cache is made; the system backs it as pages are first written.
final class KVCache {
  let layout: KVLayout
  private(set) var pages: PagePool
  private let memory: KernelMemory
  private let layerByteCount: Int
  private let pageTable: UnsafeMutablePointer<Int32>

  init(layout: KVLayout, layerCount: Int, pages: PagePool) throws(KernelError) {
    self.layout = layout
    self.pages = pages
    layerByteCount = pages.pageCount * (layout.keyPageByteCount + layout.valuePageByteCount)
    memory = try KernelMemory(byteCount: layerCount * layerByteCount)
    pageTable = .allocate(capacity: pages.table.count)
    pageTable.initialize(repeating: 0, count: pages.table.count)
  }

  deinit { pageTable.deallocate() }

  var byteCount: Int { memory.byteCount }

  func reserve(slot: Int, positions: Int) throws(KVCacheError) {
    try pages.reserve(slot: slot, positions: positions)
    let first = slot * pages.pagesPerSlot
    for (index, page) in pages.pages(of: slot).enumerated() { pageTable[first + index] = page }
  }

  func release(slot: Int) { pages.release(slot: slot) }

  /// The pools of one layer: keys first, then values.
  func layer(_ index: Int) -> KVPages {
    let base = memory.base + index * layerByteCount
    return KVPages(
      layout: layout, keys: base, values: base + pages.pageCount * layout.keyPageByteCount,
      pageTable: UnsafePointer(pageTable), pagesPerSlot: pages.pagesPerSlot)
  }
}
