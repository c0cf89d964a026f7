/// All that a simulation depends on: an engine, and what comes to it when. Small numbers only, so that it can be drawn,
/// written in a line, read back, and made smaller one number at a time.
package struct History: Sendable, Equatable {
  package var settings = Settings()
  package var arrivals: [Arrival] = []

  package init() {}

  package init(settings: Settings, arrivals: [Arrival]) {
    self.settings = settings
    self.arrivals = arrivals
  }

  /// The engine, and the model behind it.
  package struct Settings: Sendable, Equatable {
    package var slots = 1
    /// Rows of a step, and prompt rows of a step.
    package var rows = 1
    package var prefill = 1
    package var pages = 1
    package var pageSize = 1
    package var context = 1
    package var queue = 1000
    package var queueTokens = 1_000_000
    /// 1: static admission.
    package var isStatic = 0
    package var policy = 0
    package var patience = 0
    package var caching = 0
    package var drafts = 0
    /// Milliseconds that a step should take while requests decode; 0: as long as it takes.
    package var target = 0
    /// What the scheduler takes a position attended to to cost, in microseconds.
    package var perPosition = 0
    /// Milliseconds that each step takes on the clock.
    package var tick = 1
    /// Tokens of the model: the fewer, the more text repeats.
    package var vocabulary = 1
    /// When all that is there is ended and nothing is let in any more, in milliseconds; 0: never.
    package var shutdown = 0

    package init() {}
  }

  /// A request, several completions of one, or a fork of one that came before.
  package struct Arrival: Sendable, Equatable {
    /// Milliseconds from the beginning.
    package var at = 0
    package var prompt = 1
    /// The first `share` tokens of the prompt follow from `stem`, the others from `seed`.
    package var stem = 0
    package var share = 0
    package var seed = 0
    package var max = 1
    package var min = 0
    /// Tokens that end it: bit t for token t.
    package var stop = 0
    /// Tokens that its next one depends on: 0 for all, else 1 for the newest alone, so that text repeats.
    package var memory = 0
    /// Completions of the prompt.
    package var count = 1
    /// 1 + the index of the arrival whose request is forked, as it then is; 0: a request of its own.
    package var fork = 0
    package var priority = 0
    package var tenant = 0
    /// Time limits in milliseconds; 0: none.
    package var queueTimeout = 0
    package var timeout = 0
    /// Milliseconds after which it is cancelled, plus one; 0: it is not. 1 in `inFlight`: while a step runs.
    package var cancel = 0
    package var inFlight = 0
    /// Tokens after which its reader is found not to read; 0: it reads.
    package var unread = 0
    /// The token with which its own conditions end it; 0: none. How: 0 by a stop condition, 1 as it is complete, 2 as
    /// the token cannot be drawn.
    package var ending = 0
    package var endingKind = 0
    /// 1: logits of the prompt's rows are wanted.
    package var scores = 0

    package init() {}
  }

  /// With every number in its range: what is simulated. So any numbers make a history.
  package var normalized: History {
    var history = self
    history.settings.normalize()
    let context = history.settings.context
    var time = 0
    for index in arrivals.indices {
      history.arrivals[index].normalize(index: index, time: time, context: context)
      time = history.arrivals[index].at
    }
    return history
  }
}

extension History.Settings {
  fileprivate mutating func normalize() {
    slots = slots.clamped(1...16)
    rows = rows.clamped(slots...1024)
    prefill = prefill.clamped(1...1024)
    pages = pages.clamped(1...4096)
    pageSize = pageSize.clamped(1...64)
    context = context.clamped(1...1024)
    queue = queue.clamped(1...1000)
    queueTokens = queueTokens.clamped(1...1_000_000)
    isStatic = isStatic.clamped(0...1)
    policy = policy.clamped(0...4)
    patience = patience.clamped(0...1000)
    caching = caching.clamped(0...1)
    drafts = drafts.clamped(0...64)
    target = target.clamped(0...1000)
    perPosition = perPosition.clamped(0...1000)
    tick = tick.clamped(1...1000)
    vocabulary = vocabulary.clamped(1...32)
    shutdown = shutdown.clamped(0...1_000_000)
  }
}

extension History.Arrival {
  fileprivate mutating func normalize(index: Int, time: Int, context: Int) {
    at = at.clamped(time...Swift.max(time, 1_000_000))
    prompt = prompt.clamped(1...context)
    share = share.clamped(0...prompt)
    max = max.clamped(1...context - prompt + 1)
    min = min.clamped(0...max)
    memory = memory.clamped(0...1)
    count = count.clamped(1...16)
    fork = fork.clamped(0...index)
    priority = priority.clamped(-9...9)
    tenant = tenant.clamped(0...9)
    queueTimeout = queueTimeout.clamped(0...1_000_000)
    timeout = timeout.clamped(0...1_000_000)
    cancel = cancel.clamped(0...1_000_000)
    inFlight = inFlight.clamped(0...1)
    unread = unread.clamped(0...1_000_000)
    ending = ending.clamped(0...1_000_000)
    endingKind = endingKind.clamped(0...2)
    scores = scores.clamped(0...1)
  }
}

extension Int {
  fileprivate func clamped(_ range: ClosedRange<Int>) -> Int {
    Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
  }
}
