import TestSupport

/// Draws histories: small engines under pressure, requests that begin alike, end early, and come at once.
package struct HistoryGenerator {
  private var random: SplitMix64

  package init(seed: UInt64) {
    // Seeds are counted: neighbours must not be alike.
    random = SplitMix64(seed: SplitMix64.mix(seed &+ 0x5851_F42D_4C95_7F2D))
  }

  package static func history(seed: UInt64) -> History {
    var generator = HistoryGenerator(seed: seed)
    return generator.history()
  }

  private mutating func below(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
  private mutating func int(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + below(range.upperBound - range.lowerBound + 1)
  }
  private mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

  private mutating func history() -> History {
    var history = History()
    let isCrowded = chance(25)
    history.settings = settings(isCrowded: isCrowded)
    let profile = Profile(
      lengthMax: max(1, isCrowded || chance(30) ? 4 : history.settings.context * 2 / 3), isBurst: chance(40),
      isCrowded: isCrowded,
      tenantCount: int(1...3), priorityCount: chance(50) ? 1 : 3, trouble: chance(50) ? 0 : int(5...40),
      hasFamilies: chance(50), vocabulary: history.settings.vocabulary)
    let count = chance(20) ? int(8...20) : int(1...8)
    var time = 0
    for index in 0..<count {
      if !(profile.isBurst ? chance(85) : chance(40)) { time += int(1...12) }
      history.arrivals.append(
        arrival(index: index, at: time, context: history.settings.context, profile: profile))
    }
    return history.normalized
  }

  private mutating func settings(isCrowded: Bool) -> History.Settings {
    var settings = History.Settings()
    settings.slots = isCrowded ? int(3...5) : int(1...4)
    settings.rows = settings.slots + below(chance(50) ? 3 : 16)
    settings.prefill = chance(50) ? int(1...4) : int(4...24)
    settings.pageSize = chance(80) ? int(2...4) : chance(50) ? 1 : 8
    settings.context = int(6...36)
    let need = (settings.context + settings.pageSize - 1) / settings.pageSize
    // Mostly too few for all slots: who comes must wait, or who is there must go.
    settings.pages = chance(20) ? need * settings.slots : max(1, need / 2 + int(0...need))
    if isCrowded { settings.pages = need + int(0...3) }
    if chance(10) { settings.queue = int(1...4) }
    if chance(10) { settings.queueTokens = int(1...60) }
    settings.isStatic = chance(10) ? 1 : 0
    settings.policy = below(5)
    settings.patience = int(0...5)
    settings.caching = chance(75) ? 1 : 0
    settings.drafts = chance(50) ? int(1...6) : 0
    settings.target = chance(25) ? int(16...32) : 0
    settings.perPosition = chance(50) ? 0 : int(1...200)
    settings.tick = int(1...3)
    settings.vocabulary = chance(70) ? int(1...3) : int(4...9)
    settings.shutdown = chance(5) ? int(1...60) : 0
    return settings
  }

  /// What the requests of a history have in common.
  private struct Profile {
    var lengthMax: Int
    var isBurst: Bool
    /// Short prompts and long outputs in few pages: all get in, and then lose their pages to each other.
    var isCrowded: Bool
    var tenantCount: Int
    var priorityCount: Int
    /// Of a hundred requests, those that each kind of trouble meets.
    var trouble: Int
    var hasFamilies: Bool
    var vocabulary: Int
  }

  private mutating func arrival(
    index: Int, at time: Int, context: Int, profile: Profile
  ) -> History.Arrival {
    var arrival = History.Arrival()
    arrival.at = time
    arrival.prompt = int(1...profile.lengthMax)
    arrival.max = profile.isCrowded ? int(context / 2...context) : chance(40) ? int(1...3) : int(1...context)
    arrival.seed = below(1 << 16)
    if chance(60) {
      arrival.stem = int(0...1)
      arrival.share = chance(50) ? arrival.prompt : int(0...arrival.prompt)
    }
    arrival.memory = chance(50) ? 1 : 0
    if chance(30) { arrival.stop = 1 << below(profile.vocabulary) }
    if chance(20) { arrival.min = int(0...5) }
    arrival.priority = below(profile.priorityCount)
    arrival.tenant = below(profile.tenantCount)
    if profile.hasFamilies && chance(40) { arrival.count = int(2...4) }
    if profile.hasFamilies && index > 0 && chance(30) { arrival.fork = int(1...index) }
    if chance(15) { arrival.scores = 1 }
    if chance(profile.trouble) { arrival.cancel = int(1...60) }
    if chance(50) { arrival.inFlight = 1 }
    if chance(profile.trouble) { arrival.timeout = int(1...60) }
    if chance(profile.trouble) { arrival.queueTimeout = int(1...30) }
    if chance(profile.trouble / 2) { arrival.unread = int(1...8) }
    if chance(profile.trouble) { (arrival.ending, arrival.endingKind) = (int(1...8), below(3)) }
    return arrival
  }
}
