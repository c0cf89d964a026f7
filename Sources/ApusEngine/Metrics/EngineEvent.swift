/// What an engine's observer is told, in order, on the engine's thread. Times are on the engine's clock.
public enum EngineEvent: Sendable, Equatable {
  case submitted(RequestID, promptTokenCount: Int, at: Duration)
  /// The request holds the slot from now on.
  case admitted(RequestID, slot: Int, at: Duration)
  case step(start: Duration, end: Duration, prefillRows: Int, decodeRows: Int)
  case token(RequestID, slot: Int, position: Int, at: Duration)
  /// Ended. The slot, if it had one, is free.
  case finished(RequestID, slot: Int?, FinishReason, at: Duration)
}
