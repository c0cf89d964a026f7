/// What a decode step must read from memory.
public struct DecodeTraffic: Sendable, Equatable {
  /// Weights, read once a step whatever the number of rows.
  public var weightBytes: Int
  /// One position's key and value in one layer.
  public var bytesPerPosition: Int
  /// One entry a layer: nil sees the whole past, n the last n positions.
  public var slidingWindows: [Int?]

  public init(weightBytes: Int, bytesPerPosition: Int, slidingWindows: [Int?]) {
    self.weightBytes = weightBytes
    self.bytesPerPosition = bytesPerPosition
    self.slidingWindows = slidingWindows
  }

  /// Cache bytes that one row reads whose sequence holds `positions`, itself included.
  public func cacheBytes(positions: Int) -> Int {
    slidingWindows.reduce(0) { $0 + min(positions, $1 ?? positions) } * bytesPerPosition
  }
}
