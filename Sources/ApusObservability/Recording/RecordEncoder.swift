import ApusEngine

/// Turns events into the lines of a recording. A line is an object with one member, named for what it records;
/// times are nanoseconds on the engine's clock, seeds and hashes text, as not every reader of JSON keeps 64 bits.
///
/// ```
/// {"header":{"format":1, ...}}
/// {"arrival":{"request":0,"at":...,"prompt":[...],"sampling":{...},"seed":"...", ...}}
/// {"admitted":{"request":0,"slot":0,"at":...}}
/// {"reused":{"request":0,"positions":32,"at":...}}
/// {"step":{"start":...,"end":...,"runs":[[request,slot,position,rows,drafts,is prefill], ...]}}
/// {"tokens":{"at":...,"tokens":[[request,position,token,"hash of its logprobs"], ...]}}
/// {"preempted":{"request":0,"slot":0,"by":1,"at":...}}
/// {"finished":{"request":0,"reason":"length","count":24,"tokens":"hash","logprobs":"hash","at":...}}
/// {"dropped":{"records":12}}
/// {"end":{"records":100,"dropped":12}}
/// ```
struct RecordEncoder: Sendable {
  var writer = JSONLineWriter()
  /// Records encoded, header and notes of what was dropped not among them.
  private(set) var recordCount = 0
  private(set) var droppedCount = 0
  /// When the tokens of the line that is open came.
  private var openTokens: Duration?

  mutating func removeAll() { writer.removeAll() }

  mutating func append(_ header: RecordingHeader) {
    line("header") { writer in
      writer.member("format", RecordingHeader.formatVersion)
      writer.member("version", header.version)
      writer.key("model")
      writer.beginObject()
      writer.member("name", header.model.name)
      writer.member("configuration", header.model.configuration.description)
      writer.member("weights", header.model.weights.description)
      writer.endObject()
      writer.member("instruction_set", header.instructionSet)
      writer.member("precise", header.isPrecise)
      writer.key("weight_type")
      if let type = header.weightType { writer.string(type) } else { writer.null() }
      writer.member("kv_type", header.kvType)
      writer.member("threads", header.threadCount)
      writer.member("slots", header.slotCount)
      writer.member("context_length", header.contextLength)
      writer.member("prefill_step", header.prefillStep)
      writer.member("policy", header.policy)
      writer.member("prefix_caching", header.prefixCaching)
      writer.member("draft_tokens_max", header.draftTokensMax)
      writer.member("eos_token_ids", header.eosTokenIDs)
    }
  }

  mutating func append(_ record: BufferedRecord) {
    recordCount += 1
    if case .token(let id, _, let token, let time) = record.event {
      append(token, of: id, at: time)
      return
    }
    endTokens()
    switch record.event {
    case .token: break
    case .submitted(let arrival, let time): append(arrival, at: time)
    case .admitted(let id, let slot, let time):
      line("admitted") { writer in
        writer.member("request", id.rawValue)
        writer.member("slot", slot)
        writer.member("at", time)
      }
    case .reused(let id, let positions, let time):
      line("reused") { writer in
        writer.member("request", id.rawValue)
        writer.member("positions", positions)
        writer.member("at", time)
      }
    case .preempted(let id, let slot, let other, let time):
      line("preempted") { writer in
        writer.member("request", id.rawValue)
        writer.member("slot", slot)
        writer.member("by", other.rawValue)
        writer.member("at", time)
      }
    case .step(let step): append(step)
    case .finished(let id, let slot, let reason, let time):
      append(RecordedFinish(reason, digest: record.digest ?? TokenDigest()), of: id, slot: slot, at: time)
    }
  }

  mutating func append(dropped count: Int) {
    guard count > 0 else { return }
    endTokens()
    droppedCount += count
    line("dropped") { $0.member("records", count) }
  }

  /// The last line: nothing is missing after it.
  mutating func end() {
    endTokens()
    let (records, dropped) = (recordCount, droppedCount)
    line("end") { writer in
      writer.member("records", records)
      writer.member("dropped", dropped)
    }
  }

  /// Ends the line of tokens, if one is open.
  mutating func endTokens() {
    guard openTokens != nil else { return }
    writer.endArray()
    writer.endObject()
    writer.endObject()
    writer.endLine()
    openTokens = nil
  }

  private mutating func line(_ name: String, _ members: (inout JSONLineWriter) -> Void) {
    writer.beginObject()
    writer.key(name)
    writer.beginObject()
    members(&writer)
    writer.endObject()
    writer.endObject()
    writer.endLine()
  }

  /// Tokens that came together share a line.
  private mutating func append(_ token: GeneratedToken, of id: RequestID, at time: Duration) {
    if openTokens != time {
      endTokens()
      writer.beginObject()
      writer.key("tokens")
      writer.beginObject()
      writer.member("at", time)
      writer.key("tokens")
      writer.beginArray()
      openTokens = time
    }
    writer.beginArray()
    writer.integer(id.rawValue)
    writer.integer(token.position)
    writer.integer(token.id)
    if let logprobs = token.logprobs { writer.string(ContentHash(logprobs).description) }
    writer.endArray()
  }

  private mutating func append(_ step: StepRecord) {
    line("step") { writer in
      writer.member("start", step.start)
      writer.member("end", step.end)
      writer.key("runs")
      writer.beginArray()
      for run in step.runs {
        writer.beginArray()
        writer.integer(run.request.rawValue)
        for value in [run.slot, run.position, run.rowCount, run.draftCount] { writer.integer(value) }
        writer.boolean(run.isPrefill)
        writer.endArray()
      }
      writer.endArray()
      if !step.waitingForPages.isEmpty { writer.member("waiting_for_pages", ids: step.waitingForPages) }
    }
  }

  private mutating func append(
    _ finish: RecordedFinish, of id: RequestID, slot: Int?, at time: Duration
  ) {
    line("finished") { writer in
      writer.member("request", id.rawValue)
      if let slot { writer.member("slot", slot) }
      writer.member("reason", finish.reason)
      if let detail = finish.detail { writer.member("detail", detail) }
      writer.member("count", finish.digest.count)
      writer.member("tokens", finish.digest.tokens.description)
      writer.member("logprobs", finish.digest.logprobs.description)
      writer.member("at", time)
    }
  }
}
