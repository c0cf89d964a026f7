public import ApusEngine
import Synchronization

/// A clock that moves on by 1 to 16 ms whenever it is read, the same way for the same seed: steps take times that say
/// nothing, and deadlines pass anywhere.
public final class TickingClock: Sendable {
  private let state: Mutex<(time: Duration, random: SplitMix64)>

  public init(seed: UInt64) { state = Mutex((.zero, SplitMix64(seed: seed))) }

  public var clock: EngineClock {
    EngineClock {
      self.state.withLock { state in
        state.time += .milliseconds(state.random.nextInt(1...16))
        return state.time
      }
    }
  }
}
