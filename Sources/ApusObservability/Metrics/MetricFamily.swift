public import ApusEngine

/// One metric with all its samples, in the terms of Prometheus and OpenMetrics.
public struct MetricFamily: Sendable, Equatable {
  public enum Value: Sendable, Equatable {
    /// Grows only.
    case counter([Sample])
    case gauge([Sample])
    case histogram(BucketHistogram)
  }

  public struct Sample: Sendable, Equatable {
    public var labels: [MetricLabel]
    public var value: Double

    public init(_ value: Double, labels: [MetricLabel] = []) {
      self.labels = labels
      self.value = value
    }
  }

  /// Begins with "apus:", as vLLM's begin with "vllm:". A counter's ends in "_total".
  public var name: String
  /// One sentence, with the unit.
  public var help: String
  public var value: Value

  public init(_ name: String, _ help: String, _ value: Value) {
    self.name = name
    self.help = help
    self.value = value
  }
}

/// What tells samples of one metric apart.
public struct MetricLabel: Sendable, Equatable {
  public var name: String
  public var value: String

  /// - Parameter name: letters, digits and "_", not a digit first, and not "le", which histograms use.
  public init(_ name: String, _ value: String) {
    precondition(Self.isValid(name), "a label named \(name)")
    self.name = name
    self.value = value
  }

  private static func isValid(_ name: String) -> Bool {
    guard let first = name.utf8.first, name != "le" else { return false }
    func isLetter(_ byte: UInt8) -> Bool {
      byte == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
    return isLetter(first)
      && name.utf8.allSatisfy { isLetter($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
  }
}
