import ApusKernels
import ApusModel

/// Memory of a KV cache, in bytes.
struct CacheSize: Equatable {
  let slotCount: Int
  let contextLength: Int
  /// For one token of one sequence, in all layers.
  let bytesPerToken: Int
  /// For every slot filled to the last position, in whole pages.
  let byteCount: Int

  init(_ configuration: ModelConfiguration, slotCount: Int, contextLength: Int) {
    let layout = KVLayout(kvHeadCount: configuration.kvHeadCount, headSize: configuration.headSize)
    let pageElements = layout.keyPageElements + layout.valuePageElements
    let pageBytes = configuration.layerCount.saturatingMultiply(pageElements * MemoryLayout<Float>.size)
    let pagesPerSlot = (contextLength + KVLayout.pageSize - 1) / KVLayout.pageSize
    self.slotCount = slotCount
    self.contextLength = contextLength
    bytesPerToken = pageBytes / KVLayout.pageSize
    byteCount = pageBytes.saturatingMultiply(pagesPerSlot.saturatingMultiply(slotCount))
  }
}
