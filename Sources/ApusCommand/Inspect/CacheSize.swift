import ApusKernels
import ApusModel

/// Memory of a KV cache, in bytes.
struct CacheSize {
  let type: KVType
  let slotCount: Int
  let contextLength: Int
  /// For one token of one sequence, in all layers, in `type`.
  let bytesPerToken: Int
  /// The same for every type there is.
  let bytesPerTokenByType: [(type: KVType, bytes: Int)]
  /// For every slot filled to the last position, in whole pages.
  let byteCount: Int

  init(_ configuration: ModelConfiguration, type: KVType, slotCount: Int, contextLength: Int) {
    let layout = KVLayout(
      kvHeadCount: configuration.kvHeadCount, headSize: configuration.headSize, type: type)
    let pageBytes = configuration.layerCount.saturatingMultiply(
      layout.keyPageByteCount + layout.valuePageByteCount)
    self.type = type
    let pagesPerSlot = (contextLength + KVLayout.pageSize - 1) / KVLayout.pageSize
    self.slotCount = slotCount
    self.contextLength = contextLength
    bytesPerToken = pageBytes / KVLayout.pageSize
    bytesPerTokenByType = KVType.allCases.map { type in
      let layout = KVLayout(
        kvHeadCount: configuration.kvHeadCount, headSize: configuration.headSize, type: type)
      return (type, configuration.layerCount.saturatingMultiply(layout.positionByteCount))
    }
    byteCount = pageBytes.saturatingMultiply(pagesPerSlot.saturatingMultiply(slotCount))
  }
}
