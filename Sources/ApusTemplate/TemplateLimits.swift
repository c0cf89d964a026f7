/// What a template may cost. Templates come with models, from strangers: each of these ends with an error.
public struct TemplateLimits: Sendable, Equatable {
  /// Bytes of source. The longest published templates have some 30,000.
  public var sourceByteCountMax = 1 << 20
  /// How deep expressions, blocks, calls and values may be nested.
  public var depthMax = 200
  /// Nodes evaluated, items iterated over, and 64 bytes of text touched, together.
  public var stepCountMax = 4 << 20
  /// Bytes of the output, and of any text on the way.
  public var textByteCountMax = 16 << 20
  /// Numbers in one range, as in Jinja's sandbox.
  public var rangeCountMax = 100_000

  public init() {}
}
